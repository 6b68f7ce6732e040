// until.mjs - waiting for what is going to be so.
import assert from 'node:assert/strict';

/** A function that waits up to `most` milliseconds until something is true, and
 *  gives it, or says what never was; it looks every so many. */
export const untilWithin = (most, every = 50) => async (what, truth, ms = most) => {
    const end = Date.now() + ms;
    for (;;) {
        const value = await truth();
        if (value) return value;
        if (Date.now() > end) assert.fail(`never: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, every));
    }
};
