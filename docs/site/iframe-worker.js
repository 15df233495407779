// Search runs in a worker. A page that is opened from the disk (file:) may start none, so there the worker's script runs
// in a hidden frame. As between a page and a worker, messages are copies and arrive later, one after the other.
if (location.protocol === "file:") {
  const later = (deliver, data) => {
    const copy = structuredClone(data);
    setTimeout(() => deliver(new MessageEvent("message", { data: copy })));
  };
  window.Worker = class extends EventTarget {
    constructor(script) {
      super();
      this.waiting = [];
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.append(this.frame);
      const inside = this.frame.contentWindow;
      inside.postMessage = (data) =>
        later((message) => {
          this.onmessage?.(message);
          this.dispatchEvent(message);
        }, data);
      const element = inside.document.createElement("script");
      element.src = new URL(script, location.href).href;
      element.onload = () => {
        const waiting = this.waiting;
        this.waiting = null;
        waiting.forEach((data) => this.postMessage(data));
      };
      element.onerror = (event) => this.onerror?.(event);
      inside.document.body.append(element);
    }

    postMessage(data) {
      if (this.waiting) this.waiting.push(data);
      else later((message) => this.frame.contentWindow?.onmessage?.(message), data);
    }

    terminate() {
      this.frame.remove();
    }
  };
}
