"""Statistics of series: trends, and the order of rows and columns."""
