// Shows new mails as they arrive. The server answers when there is one, so nothing polls.
(() => {
  const list = document.getElementById("mails");
  if (!list) return;
  const news = document.getElementById("news");

  async function show() {
    const page = new DOMParser().parseFromString(await (await fetch("/")).text(), "text/html");
    const fresh = page.getElementById("mails");
    const focused = list.contains(document.activeElement) && document.activeElement.getAttribute("href");
    const before = Number(list.dataset.newest);
    list.replaceChildren(...fresh.childNodes);
    list.dataset.newest = fresh.dataset.newest;
    if (focused) list.querySelector(`a[href="${focused}"]`)?.focus();
    const count = Number(list.dataset.newest) - before;
    if (count > 0) news.textContent = count === 1 ? "1 new mail" : `${count} new mails`;
  }

  async function follow() {
    for (;;) {
      try {
        const answer = await fetch(`/newest.json?after=${list.dataset.newest}&wait=25`);
        if (!answer.ok) throw new Error(answer.statusText);
        if ((await answer.json()) !== Number(list.dataset.newest)) await show();
      } catch {
        // The demo has ended or is starting again.
        await new Promise((resolve) => setTimeout(resolve, 2000));
      }
    }
  }

  follow();
})();
