"""Rate constants of reaction networks from the course of their concentrations."""
