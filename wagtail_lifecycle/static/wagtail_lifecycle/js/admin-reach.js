/* The "Who" tab: how many people the mail would reach, and whether it would reach one person. */
(() => {
  "use strict";

  const FIELDS = ["audience", "topic", "is_transactional"];

  class ReachController extends window.StimulusModule.Controller {
    static targets = ["numbers", "address", "answer"];

    connect() {
      if (!this.hasNumbersTarget) return;
      // Nobody counts people for a tab that is not looked at.
      this.observer = new IntersectionObserver((entries) => {
        if (entries.some((entry) => entry.isIntersecting)) this.refresh();
      });
      this.observer.observe(this.numbersTarget);
    }

    disconnect() {
      this.observer?.disconnect();
      this.request?.abort();
    }

    changed(event) {
      if (!FIELDS.includes(event.target.name)) return;
      if (this.hasAnswerTarget) this.answerTarget.replaceChildren();
      this.told = "";
      this.refresh();
    }

    /* An address that is typed here is no change of the campaign. */
    ignore() {}

    get values() {
      const values = new URLSearchParams();
      FIELDS.forEach((name) => {
        const field = this.element.querySelector(`[name="${name}"]`);
        if (field && (field.type !== "checkbox" || field.checked)) values.set(name, field.value);
      });
      return values;
    }

    async refresh() {
      const values = this.values.toString();
      if (!this.hasNumbersTarget || this.told === values) return;
      this.told = values;
      this.request?.abort();
      this.request = new AbortController();
      const { signal } = this.request;
      const url = `${this.numbersTarget.dataset.url}?${values}`;
      if (!(await this.show(this.numbersTarget, url, { signal }))) this.told = "";
    }

    async ask() {
      const body = this.values;
      body.set("address", this.addressTarget.value);
      const { CSRF_HEADER_NAME, CSRF_TOKEN } = window.wagtailConfig;
      const headers = { [CSRF_HEADER_NAME]: CSRF_TOKEN };
      await this.show(this.answerTarget, this.answerTarget.dataset.url, { method: "POST", body, headers });
    }

    async show(target, url, options) {
      target.setAttribute("aria-busy", "true");
      try {
        const response = await fetch(url, options);
        // Who was logged out meanwhile is led to another page, which has no place here.
        const isOurs = response.ok && !response.redirected;
        if (isOurs) target.innerHTML = await response.text();
        target.removeAttribute("aria-busy");
        return isOurs;
      } catch (error) {
        if (error.name !== "AbortError") target.removeAttribute("aria-busy");
        return false;
      }
    }
  }

  window.wagtail.app.register("lifecycle-reach", ReachController);
})();
