"""The lecture retold by running it: chapters that compute, and one HTML page that shows what came out."""
