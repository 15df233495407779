"""How results are shown: tables for the terminal, a report for the browser."""
