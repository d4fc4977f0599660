"""Text: words are vectors, a filter spans a vector whole and slides along time only (lecture, row L11)."""
