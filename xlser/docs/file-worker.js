// A page that was opened as a file may not start a worker, and the search runs in one: here its script runs in a hidden
// frame instead. Messages are copied both ways, as a worker's are: what is sent must not change with what is kept.
if (location.protocol === "file:") {
  window.Worker = class {
    constructor(address) {
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.documentElement.append(this.frame);
      const inside = this.frame.contentWindow;
      const listeners = [];
      const event = (data) => new MessageEvent("message", { data: structuredClone(data) });
      const listen = inside.addEventListener.bind(inside);
      inside.addEventListener = (name, listener, ...options) =>
        name === "message" ? listeners.push(listener) : listen(name, listener, ...options);
      inside.postMessage = (data) => setTimeout(() => this.frame.isConnected && this.onmessage?.(event(data)));
      inside.importScripts = (script) => new Promise((done, failed) => {
        const element = inside.document.createElement("script");
        Object.assign(element, { src: script, onload: done, onerror: failed });
        inside.document.body.append(element);
      });
      this.send = (data) => [...listeners, inside.onmessage].forEach((listener) => listener?.call(inside, event(data)));
      this.ready = inside.importScripts(address);
      this.ready.catch(() => this.onerror?.(new Event("error", { cancelable: true })));
    }
    postMessage(data) { this.ready.then(() => this.send(data), () => {}); }
    terminate() { this.frame.remove(); }
  };
}
