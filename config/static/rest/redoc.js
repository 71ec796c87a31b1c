// Starts ReDoc on the schema that the page names.
"use strict";
const reader = document.getElementById("reader");
Redoc.init(reader.dataset.schema, { disableSearch: false, hideDownloadButton: false, sortTagsAlphabetically: true,
  theme: { typography: { fontFamily: "system-ui, sans-serif", headings: { fontFamily: "system-ui, sans-serif" } } } }, reader);
