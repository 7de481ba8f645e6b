"""Families of features: one module a family, each with what its features mean and how they are computed."""
