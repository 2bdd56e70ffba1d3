/* Merge-tag chips in rich text: a value of the reader, with what stands there for whom it is not known. */
(() => {
  "use strict";

  const { React, DraftJS } = window;
  const { EditorState, Modifier } = DraftJS;
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
      offered.map((tag) => element("option", { value: tag.path, textContent: tag.label })),
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

  class MergeTagSource extends React.Component {
    componentDidMount() {
      const { entity, entityType, onClose } = this.props;
      const data = entity ? entity.getData() : {};
      this.done = false;
      this.dialog = openPicker({
        tags: entityType.tags,
        texts: entityType.texts,
        value: { path: data.path || "", fallback: data.fallback || "" },
        onChoose: (tag) => this.replaceSelection(tag),
        onRemove: () => this.replaceSelection(null),
        onClose: () => {
          if (!this.done) onClose();
        },
      });
    }

    componentWillUnmount() {
      this.done = true;
      if (this.dialog.open) this.dialog.close();
    }

    replaceSelection(tag) {
      const { editorState, entityType, onComplete } = this.props;
      this.done = true;
      const selection = editorState.getSelection();
      const content = editorState.getCurrentContent();
      if (!tag) {
        const without = Modifier.replaceText(content, selection, "");
        onComplete(EditorState.push(editorState, without, "remove-range"));
        return;
      }
      const withEntity = content.createEntity(entityType.type, "IMMUTABLE", {
        path: tag.path,
        fallback: tag.fallback,
      });
      const key = withEntity.getLastCreatedEntityKey();
      const next = Modifier.replaceText(withEntity, selection, String(tag.label), null, key);
      onComplete(EditorState.push(editorState, next, "insert-characters"));
    }

    render() {
      return null;
    }
  }

  // With the keyboard a chip is one character: Backspace takes it out, "/" puts another one in.
  const MergeTag = ({ entityKey, contentState, children, onEdit }) => {
    const { path, fallback } = contentState.getEntity(entityKey).getData();
    const edit = (event) => {
      event.preventDefault();
      event.stopPropagation();
      onEdit(entityKey);
    };
    const title = fallback ? `${path} | ${fallback}` : path;
    return React.createElement("span", { className: "lifecycle-merge-tag", title, onMouseUp: edit }, children);
  };

  window.draftail.registerPlugin(
    { type: "MERGE-TAG", source: MergeTagSource, decorator: MergeTag },
    "entityTypes",
  );
})();
