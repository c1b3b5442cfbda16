// Refreshes the preview while somebody types. Without this script the page's button does the same.
"use strict";

(() => {
  const PAUSE = 400;

  for (const form of document.querySelectorAll("form[data-live-preview]")) {
    const parameters = document.getElementById("preview-parameters");
    const result = document.getElementById("preview-result");
    let timer = null;
    let asked = 0;

    const refresh = async () => {
      const number = ++asked;
      const body = new FormData(form);
      body.set("_preview", "parts");
      try {
        const response = await fetch(window.location.pathname, { method: "POST", body, credentials: "same-origin" });
        if (!response.ok) throw new Error(String(response.status));
        const parts = await response.json();
        // A slower answer to an older question must not replace a newer one.
        if (number !== asked) return;
        if (parameters.firstElementChild.dataset.schema !== parts.schema) {
          parameters.innerHTML = parts.parameters;
        }
        result.innerHTML = parts.result;
        for (const control of parameters.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
        for (const link of result.querySelectorAll(".brokkr-complaints a")) {
          document.getElementById(link.hash.slice(1))?.setAttribute("aria-invalid", "true");
        }
      } catch {
        if (number === asked) result.textContent = "The preview could not be refreshed. Use the Preview button.";
      }
    };

    form.addEventListener("input", (event) => {
      if (event.target.name === "name" || event.target.name === "description") return;
      clearTimeout(timer);
      timer = setTimeout(refresh, PAUSE);
    });
  }
})();
