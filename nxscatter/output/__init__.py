"""Records to files: tables, CSV, figures, SasView, NXcanSAS, reports."""
