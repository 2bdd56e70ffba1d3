/* The line of an inbox under the subject, and a button beside each field that merge tags work in. */
(() => {
  "use strict";

  const { openPicker, pageOffers, tagsOnOffer } = window.wagtailLifecycle;
  const TAG = /\{\{\s*([\w.]+)\s*(?:\|\s*([^{}|]*?)\s*)?\}\}/g;
  // What would end a merge tag before its end.
  const FORBIDDEN = /[{}|]/g;

  const field = (name) => document.querySelector(`[name="${name}"]`);

  /* Put text where the cursor is, as if it was typed: it can be undone, and the editor notices. */
  const insert = (input, text) => {
    input.focus();
    const { selectionStart, selectionEnd } = input;
    input.setRangeText(text, selectionStart, selectionEnd, "end");
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };

  class InboxController extends window.StimulusModule.Controller {
    static targets = ["sender", "subject", "preheader"];

    connect() {
      this.offers = pageOffers();
      this.buttons = this.offers.fields.map(field).filter(Boolean).map((input) => this.addButton(input));
      this.refresh = () => this.show();
      this.form = this.element.closest("form");
      ["input", "change"].forEach((name) => this.form?.addEventListener(name, this.refresh));
      this.show();
    }

    disconnect() {
      ["input", "change"].forEach((name) => this.form?.removeEventListener(name, this.refresh));
      this.buttons.forEach((button) => button.remove());
    }

    addButton(input) {
      const button = document.createElement("button");
      const label = document.querySelector(`label[for="${input.id}"]`);
      button.type = "button";
      button.className = "button button-small button-secondary lifecycle-insert";
      button.textContent = this.offers.texts.open;
      button.setAttribute("aria-haspopup", "dialog");
      if (label?.id) button.setAttribute("aria-describedby", label.id);
      button.addEventListener("click", () => this.pick(input));
      input.after(button);
      return button;
    }

    pick(input) {
      const { selectionStart, selectionEnd } = input;
      openPicker({
        tags: tagsOnOffer(),
        texts: this.offers.texts,
        value: { path: "", fallback: "" },
        onChoose: ({ path, fallback }) => {
          const words = fallback.replace(FORBIDDEN, "").trim();
          input.setSelectionRange(selectionStart, selectionEnd);
          this.chosen = () => insert(input, words ? `{{ ${path} | ${words} }}` : `{{ ${path} }}`);
        },
        onRemove: () => {},
        // The dialog gives the focus back to the button first.
        onClose: () => {
          this.chosen?.();
          this.chosen = null;
        },
      });
    }

    withExamples(text) {
      const examples = new Map(tagsOnOffer().map((tag) => [tag.path, tag.example]));
      return text.replace(TAG, (tag, path) => examples.get(path) ?? tag).trim();
    }

    show() {
      const { texts, sender, senders } = this.offers;
      const value = (name) => field(name)?.value || "";
      const preheader = this.withExamples(value("preheader"));
      this.senderTarget.textContent = senders[field("sender") ? value("sender") : sender] || texts.noSender;
      this.subjectTarget.textContent = this.withExamples(value("subject")) || texts.noSubject;
      this.preheaderTarget.textContent = preheader ? ` \u2013 ${preheader}` : "";
    }
  }

  window.wagtail.app.register("lifecycle-inbox", InboxController);
})();
