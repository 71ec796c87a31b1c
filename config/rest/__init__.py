"""What every REST resource shares: tables of columns, strict parameters, paging, problems, CSV, ETags, schema."""
