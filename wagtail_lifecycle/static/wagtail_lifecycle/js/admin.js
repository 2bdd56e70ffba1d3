/* The "When" tab: only the fields that trigger and frequency need, and what the schedule means. */
(() => {
  "use strict";

  // Somebody who types gets one answer, not one per key.
  const PATIENCE = 250;

  class ScheduleController extends window.StimulusModule.Controller {
    static targets = ["outlook"];

    connect() {
      this.showNeededFields();
      // The period of reports stands in another tab, but the outlook tells what it comes to.
      this.period = document.querySelector('[name="period"]');
      this.refreshSoon = () => this.changed();
      this.period?.addEventListener("change", this.refreshSoon);
    }

    disconnect() {
      this.period?.removeEventListener("change", this.refreshSoon);
      window.clearTimeout(this.timer);
      this.request?.abort();
    }

    changed() {
      this.showNeededFields();
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => this.refresh(), PATIENCE);
    }

    showNeededFields() {
      const value = (name) => this.element.querySelector(`[name="${name}"]`)?.value;
      const kind = value("trigger") === "event" ? "event" : value("frequency");
      if (!kind) return;
      // Some stand in another tab.
      const fields = [...document.querySelectorAll("[data-lifecycle-needed-by]")];
      fields.forEach((field) => {
        field.hidden = !field.dataset.lifecycleNeededBy.split(" ").includes(kind);
      });
      new Set(fields.map((field) => field.closest("[data-panel]"))).forEach((panel) => {
        const inside = fields.filter((field) => panel?.contains(field));
        if (panel) panel.hidden = inside.every((field) => field.hidden);
      });
    }

    async refresh() {
      if (!this.hasOutlookTarget) return;
      this.request?.abort();
      this.request = new AbortController();
      const outlook = this.outlookTarget;
      outlook.setAttribute("aria-busy", "true");
      try {
        const response = await fetch(this.url(outlook), { signal: this.request.signal });
        if (response.ok && !response.redirected) outlook.innerHTML = await response.text();
        outlook.removeAttribute("aria-busy");
      } catch (error) {
        if (error.name === "AbortError") return;
        outlook.removeAttribute("aria-busy");
      }
    }

    url(outlook) {
      const url = new URL(outlook.dataset.url, window.location.href);
      this.element.querySelectorAll("[name]").forEach((input) => {
        url.searchParams.set(input.name, input.value);
      });
      if (this.period) url.searchParams.set("period", this.period.value);
      return url;
    }
  }

  window.wagtail.app.register("lifecycle-schedule", ScheduleController);

  // Wagtail counts the errors of a tab before the body has drawn its own.
  window.addEventListener("load", () => {
    document.querySelectorAll('.w-tabs__errors[data-controller~="w-count"]').forEach((badge) => {
      window.wagtail.app.getControllerForElementAndIdentifier(badge, "w-count")?.count();
    });
  });
})();
