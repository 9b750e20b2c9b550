"""Result files in; tables, figures and HTML out."""
