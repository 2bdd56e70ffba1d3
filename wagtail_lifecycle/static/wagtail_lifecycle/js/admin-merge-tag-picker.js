/* The picker of merge tags, for rich text and for plain fields, and what it offers on the page of a campaign. */
(() => {
  "use strict";

  // Both the editor of rich text and the fields bring this file.
  if (window.wagtailLifecycle) return;

  let pickers = 0;

  const element = (name, properties = {}, children = []) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

  /* A dialog of the browser: it keeps the focus, closes on Escape and gives the focus back. */
  const openPicker = ({ tags, texts, value, onChoose, onRemove, onClose }) => {
    pickers += 1;
    const id = `lifecycle-picker-${pickers}`;
    const known = tags.some((tag) => tag.path === value.path);
    const offered = known || !value.path ? tags : [{ path: value.path, label: value.path, example: "" }, ...tags];
    const title = element("h2", { id: `${id}-title`, className: "w-h3", textContent: texts.title });
    const select = element(
      "select",
      { id: `${id}-tag` },
      offered.map((tag) => element("option", { value: tag.path, textContent: tag.option || tag.label })),
    );
    const example = element("p", { id: `${id}-example` });
    const fallback = element("input", { id: `${id}-fallback`, type: "text", maxLength: 100, value: value.fallback });
    const help = element("p", { id: `${id}-help`, textContent: texts.fallbackHelp });
    const button = (text, className, action) =>
      element("button", { type: "button", className, textContent: text, onclick: action });
    const dialog = element("dialog", { id, className: "lifecycle-picker" });

    const current = () => offered.find((tag) => tag.path === select.value);
    const tellExample = () => {
      const tag = current();
      example.textContent = tag?.example ? texts.example.replace("%(example)s", tag.example) : "";
    };
    const choose = () => {
      dialog.close();
      onChoose({ ...current(), fallback: fallback.value.trim() });
    };

    if (value.path) select.value = value.path;
    tellExample();
    select.addEventListener("change", tellExample);
    select.setAttribute("aria-describedby", example.id);
    fallback.setAttribute("aria-describedby", help.id);
    fallback.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      choose();
    });

    const buttons = [button(value.path ? texts.save : texts.insert, "button", choose)];
    if (value.path) {
      buttons.push(
        button(texts.remove, "button no", () => {
          dialog.close();
          onRemove();
        }),
      );
    }
    buttons.push(button(texts.cancel, "button button-secondary", () => dialog.close()));

    dialog.setAttribute("aria-labelledby", title.id);
    dialog.append(
      title,
      element("p", { textContent: texts.intro }),
      element("label", { htmlFor: select.id, textContent: texts.tag }),
      select,
      example,
      element("label", { htmlFor: fallback.id, textContent: texts.fallback }),
      fallback,
      help,
      element("div", { className: "lifecycle-picker__buttons" }, buttons),
    );
    // Nothing that happens in here is for the editor or the form behind.
    ["keydown", "keyup", "input", "change", "paste"].forEach((name) =>
      dialog.addEventListener(name, (event) => event.stopPropagation()),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      onClose();
    });
    document.body.append(dialog);
    dialog.showModal();
    select.focus();
    return dialog;
  };

  const pageOffers = () => {
    const holder = document.getElementById("lifecycle-merge-tag-offers");
    return holder && JSON.parse(holder.textContent);
  };

  /* What the chosen audience offers; what all offer where none is chosen; nothing where this is no campaign's page. */
  const tagsOnOffer = () => {
    const offers = pageOffers();
    if (!offers) return null;
    const [audience] = (document.querySelector('[name="audience"]')?.value || offers.audience).split(":");
    const isKnown = offers.tags.some((tag) => audience in tag.examples);
    return offers.tags
      .filter((tag) => (isKnown ? audience in tag.examples : tag.isShared))
      .map((tag) => ({
        path: tag.path,
        label: tag.label,
        option: tag.isShared ? tag.label : offers.texts.some.replace("%(label)s", tag.label),
        example: isKnown ? tag.examples[audience] : Object.values(tag.examples)[0],
      }));
  };

  window.wagtailLifecycle = { openPicker, pageOffers, tagsOnOffer };
})();
