// Browsers start no worker on a page that is opened from disk. There, the search runs in a hidden frame.
if (location.protocol === "file:") {
  window.Worker = class {
    constructor(url) {
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.frame.title = "search";
      this.loaded = new Promise((resolve) => {
        this.frame.onload = () => resolve(this.frame.contentWindow);
      });
      this.loaded.then((worker) => {
        worker.postMessage = (data) => this.pass(this, data);
      });
      const script = document.createElement("script");
      script.src = url;
      this.frame.srcdoc = script.outerHTML;
      document.body.append(this.frame);
    }
    postMessage(data) {
      this.loaded.then((worker) => this.pass(worker, data));
    }
    pass(receiver, data) {
      const message = { data: structuredClone(data) };
      setTimeout(() => receiver.onmessage?.(message));
    }
    terminate() {
      this.frame.remove();
    }
  };
}
