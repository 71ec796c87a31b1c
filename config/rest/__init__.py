"""Shared by all REST resources: tables of columns, strict parameters, pages, problems, CSV, ETags, schema."""
