/* Merge-tag chips in rich text: a value of the reader, with what stands there for whom it is not known. */
(() => {
  "use strict";

  const { React, DraftJS } = window;
  const { EditorState, Modifier } = DraftJS;
  const { openPicker, tagsOnOffer } = window.wagtailLifecycle;

  class MergeTagSource extends React.Component {
    componentDidMount() {
      const { entity, entityType, onClose } = this.props;
      const data = entity ? entity.getData() : {};
      this.done = false;
      this.dialog = openPicker({
        tags: tagsOnOffer() || entityType.tags,
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
