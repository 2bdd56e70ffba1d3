/* The preview panel: whose mail it shows, and in which language. Wagtail's own controller draws it again. */
(() => {
  "use strict";

  // Somebody who types gets one answer, not one per key.
  const PATIENCE = 250;

  class PreviewController extends window.StimulusModule.Controller {
    static targets = ["reader", "search", "text", "people", "status", "language"];

    static values = { url: String, peopleUrl: String, previewUrl: String };

    disconnect() {
      window.clearTimeout(this.timer);
      this.request?.abort();
    }

    async choose(event) {
      const wish = event.currentTarget.value;
      const { CSRF_HEADER_NAME, CSRF_TOKEN } = window.wagtailConfig;
      const response = await fetch(this.urlValue, {
        method: "POST",
        headers: { [CSRF_HEADER_NAME]: CSRF_TOKEN },
        body: new URLSearchParams({ reader: wish }),
      });
      // Who was logged out meanwhile is led to another page, which has no place here.
      if (!response.ok || response.redirected) return;
      const hadFocus = this.statusTarget.contains(document.activeElement);
      this.statusTarget.innerHTML = await response.text();
      // The button that was pressed is gone: its successor takes its place.
      if (hadFocus) this.statusTarget.querySelector("button")?.focus();
      if (this.hasSearchTarget) this.showSearch(wish);
      this.dispatch("changed");
    }

    showSearch(wish) {
      this.searchTarget.hidden = this.readerTarget.value !== "person";
      // Whoever was found is chosen, and the list has done its work.
      if (wish !== "next" && !wish.includes(":")) return;
      if (this.peopleTarget.contains(document.activeElement)) this.textTarget.focus();
      this.peopleTarget.replaceChildren();
      this.textTarget.value = "";
    }

    search(event) {
      const text = event.currentTarget.value;
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => this.find(text), PATIENCE);
    }

    async find(text) {
      this.request?.abort();
      this.request = new AbortController();
      const url = new URL(this.peopleUrlValue, window.location.href);
      url.searchParams.set("q", text);
      try {
        const response = await fetch(url, { signal: this.request.signal });
        if (response.ok && !response.redirected) this.peopleTarget.innerHTML = await response.text();
      } catch (error) {
        if (error.name !== "AbortError") throw error;
      }
    }

    speak() {
      const url = new URL(this.previewUrlValue, window.location.href);
      url.searchParams.set("language", this.languageTarget.value);
      // What Wagtail's controller loads; it adds the mode.
      this.element.closest("[data-controller~='w-preview']").dataset.wPreviewRenderUrlValue = url.toString();
      // Stimulus hears of changed attributes a moment later.
      window.requestAnimationFrame(() => this.dispatch("changed"));
    }
  }

  window.wagtail.app.register("lifecycle-preview", PreviewController);
})();
