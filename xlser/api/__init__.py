"""What Python users hold: recognisers, evaluations and benches; `import xlser` gives them all."""
