"""Heights of analog error-correcting codes: exact ones, and how well they can be learned from the generator."""
