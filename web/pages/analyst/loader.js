// @ts-check
// loader.js - tiles as pictures, so many at a time, the newest wish first out
// when it is taken back.

/* Browsers have six connections for a server: one is the stream's, one is kept
 * for numbers. */
const AT_ONCE = 4;

export class Loader {
  constructor() {
    /** @type {{url: string, signal: AbortSignal, done: (picture: ImageBitmap | null) => void, fail: (error: any) => void}[]} */
    this.waiting = [];
    this.running = 0;
  }

  /**
   * A picture that can be drawn at once; null: taken back, or there is none.
   * @param {string} url @param {AbortSignal} signal @returns {Promise<ImageBitmap | null>} the caller closes it
   */
  get(url, signal) {
    return new Promise((done, fail) => {
      this.waiting.push({url, signal, done, fail});
      this.run();
    });
  }

  run() {
    while (this.running < AT_ONCE && this.waiting.length) {
      const wish = this.waiting.shift();
      if (wish.signal.aborted) {
        wish.done(null);
        continue;
      }
      this.running++;
      load(wish.url, wish.signal).then(wish.done, (error) => wish.signal.aborted ? wish.done(null) : wish.fail(error)).finally(() => {
        this.running--;
        this.run();
      });
    }
  }
}

/* The browser's own copy counts only after the server has said that it is the
 * newest (its ETag). */
async function load(url, signal) {
  const response = await fetch(url, {signal, cache: 'no-cache'});
  if (!response.ok) throw Object.assign(new Error(`${response.status}`), {status: response.status});
  if (response.status === 204) return null;
  return createImageBitmap(await response.blob());
}
