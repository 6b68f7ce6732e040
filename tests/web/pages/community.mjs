// community.mjs - the residents' scripts in a world without a page.
import { readFile } from 'node:fs/promises';
import vm from 'node:vm';

export const FOLDER = 'web/pages/community';
/** As the page loads them. */
export const CLASSIC = ['check', 'words', 'hours', 'api', 'view', 'map', 'app'];

/** What these scripts put into window.community. */
export async function load(...names) {
    const window = { community: {}, addEventListener() {} };
    const world = vm.createContext({ window, URLSearchParams, setTimeout, clearTimeout, fetch: () => Promise.reject(new Error('no server')) });
    for (const name of names) vm.runInContext(await readFile(`${FOLDER}/${name}.js`, 'utf8'), world, { filename: `${name}.js` });
    return window.community;
}
