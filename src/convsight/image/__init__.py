"""Images: a filter slides down and across, and pooling drops rows and columns that don't matter."""
