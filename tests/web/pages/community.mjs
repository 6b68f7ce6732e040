// community.mjs - the residents' scripts in a world without a page.
import { readFile } from 'node:fs/promises';
import vm from 'node:vm';

export const FOLDER = 'web/pages/community';
/** As the page loads them: joined, with the words of one language. */
export const joined = (language) => ['words', language, 'hours', 'api', 'matters', 'view', 'map', 'app'];
export const CLASSIC = ['check', ...joined('chinese'), 'english'];

/** What these scripts put into window.community. */
export async function load(...names) {
    const window = { community: {}, addEventListener() {} };
    const world = vm.createContext({ window, URLSearchParams, setTimeout, clearTimeout, fetch: () => Promise.reject(new Error('no server')) });
    for (const name of names) vm.runInContext(await readFile(`${FOLDER}/${name}.js`, 'utf8'), world, { filename: `${name}.js` });
    return window.community;
}
