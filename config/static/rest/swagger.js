// Starts Swagger UI on the schema that the page names; writes carry the session's CSRF token.
"use strict";
const reader = document.getElementById("reader");
const csrf = () => (document.cookie.match(/(?:^|; )csrftoken=([^;]+)/) || [])[1];
SwaggerUIBundle({
  url: reader.dataset.schema,
  dom_id: "#reader",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  requestInterceptor: (request) => {
    const token = csrf();
    if (token && !["GET", "HEAD", "OPTIONS", undefined].includes(request.method)) {
      request.headers["X-CSRFToken"] = token;
    }
    return request;
  },
});
