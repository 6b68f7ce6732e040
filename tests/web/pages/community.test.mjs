// The residents' page before any browser opens it.
//
// Plan
//   its scripts are ES2018 and use nothing that came later; the module is one
//   both languages say the same things, and no word is unused or missing
//   no script, style or handler stands in the pages
//   60 KB of script with Leaflet, packed as they are served
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import test from 'node:test';

import { CLASSIC, FOLDER, load } from './community.mjs';

const require = createRequire(path.resolve('web/pages/package.json'));
const read = (name) => readFile(`${FOLDER}/${name}`, 'utf8');

test('scripts are ES2018', async () => {
    const { parse } = require('acorn');
    const all = (await readdir(FOLDER)).filter((f) => f.endsWith('.js'));
    assert.deepEqual(all.sort(), [...CLASSIC, 'embed', 'map-gl'].map((f) => `${f}.js`).sort());
    for (const name of all) {
        const text = await read(name), module = name === 'map-gl.js';
        parse(text, { ecmaVersion: module ? 2022 : 2018, sourceType: module ? 'module' : 'script' });
        if (module) continue;
        // Methods that browsers of that age lack.
        const late = /\.(flat|flatMap|matchAll|replaceAll|at|replaceChildren|findLast|fromEntries|allSettled|any|trimStart|trimEnd|randomUUID|toSorted)\(|\bglobalThis\b|structuredClone|\bBigInt\b/.exec(text);
        assert.equal(late && late[0], null, name);
    }
    parse(await read('check.js'), { ecmaVersion: 5 });
});

test('both languages say the same', async () => {
    const [zh, en] = await Promise.all(['chinese', 'english'].map(async (language) => (await load(language)).words));
    assert.deepEqual(Object.keys(en).sort(), Object.keys(zh).sort());
    for (const key of Object.keys(zh)) {
        assert.equal(typeof en[key], typeof zh[key], key);
        if (typeof zh[key] === 'function') assert.equal(en[key].length, zh[key].length, key);
    }
    const code = (await Promise.all(['hours', 'api', 'view', 'map', 'app', 'map-gl', 'words'].map((f) => read(`${f}.js`)))).join('\n');
    const used = new Set([...code.matchAll(/'(\w+)'/g)].map((m) => m[1]));
    for (const key of Object.keys(zh)) if (!key.startsWith('kind_')) assert.ok(used.has(key), `${key} is said nowhere`);
    for (const [, key] of code.matchAll(/\bt\('(\w+)'/g)) assert.ok(key in zh, `there is no word for ${key}`);
});

test('no script, style or handler in the pages', async () => {
    for (const name of ['index.html', 'embed.html']) {
        const html = await read(name);
        for (const [tag] of html.matchAll(/<script[^>]*>[^<]*/g)) assert.match(tag, /^<script (defer )?src="\/pages\/[\w./-]+">$/);
        assert.doesNotMatch(html, /<style|\sstyle=|\son\w+=|javascript:|https?:/);
        assert.deepEqual([...html.matchAll(/community\/([\w-]+)\.js/g)].map((m) => m[1]), ['check']);
    }
    for (const name of [...CLASSIC, 'embed', 'map-gl'])
        assert.doesNotMatch(await read(`${name}.js`), /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|localStorage|sessionStorage|document\.cookie/, name);
});
