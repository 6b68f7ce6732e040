// roles.mjs - a synthetic city with tokens, and what tests of roles ask it.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

import { ask } from './ask.mjs';
import { done, folder } from './onemap.mjs';
import { untilWithin } from './until.mjs';

const require = createRequire(path.resolve('web/pages/package.json'));
const { VectorTile } = require('@mapbox/vector-tile'), { PbfReader, default: Pbf } = require('pbf');

/** A small synthetic city: {dir, city}. */
export async function makeSynthetic(t, scale = 0.004) {
    const dir = await folder(t), city = path.join(dir, 'city'), source = path.join(dir, 'source');
    await done('synth', source, '--scale', scale, '--quiet');
    await done('import', city, '--all', source, '--quiet');
    return { dir, city, source };
}

/** A token of a role, as `onemap token` prints it. */
export async function token(city, role, ...more) {
    return (await done('token', city, 'add', role, ...more)).trim();
}

export const bearer = (text) => (text ? { authorization: `Bearer ${text}` } : {});

/** Ask as somebody, as ask does. */
export const askAs = (url, text) => (target, how = {}) => ask(`${url}${target}`, { ...how, headers: { ...bearer(text), ...how.headers } });

/** Until the server knows the token that is asked with: it looks every second, or when it gets to it. */
export const known = (ask, target = '/conformance') => untilWithin(120e3)('the token is known', async () => (await ask(target)).status !== 401);

/** Lines of a CSV text with quoted cells, as objects. */
export function csv(text) {
    const rows = [];
    let row = [], cell = '', quoted = false;
    const body = text.replace(/^\ufeff/, '');
    for (let i = 0; i < body.length; i++) {
        const c = body[i];
        if (quoted) {
            if (c === '"' && body[i + 1] === '"') { cell += '"'; i++; } else if (c === '"') quoted = false; else cell += c;
        } else if (c === '"') quoted = true;
        else if (c === ',') { row.push(cell); cell = ''; } else if (c === '\n') { row.push(cell.replace(/\r$/, '')); rows.push(row); row = []; cell = ''; } else cell += c;
    }
    const [head, ...lines] = rows;
    return lines.map((line) => Object.fromEntries(head.map((name, i) => [name, line[i]])));
}

/** All rows of a layer, by the command line, which has no roles. */
export async function rowsOf(city, layer) {
    return csv(await done('query', city, layer, '--format', 'csv', '--quiet'));
}

/** What city.json says of the layers. */
export async function layersOf(city) {
    return JSON.parse(await readFile(path.join(city, 'city.json'), 'utf8')).layers;
}

/** {key: rows} by what `of` says of each. */
export function groupBy(rows, of) {
    const groups = {};
    for (const row of rows) (groups[of(row)] ??= []).push(row);
    return groups;
}

/** Layers of a vector tile, by name. */
export function tile(body) {
    return body.length ? new VectorTile(new (PbfReader ?? Pbf)(body)).layers : {};
}

/** [tile's layer, feature's properties] of all features. */
export function features(body) {
    return Object.entries(tile(body)).flatMap(([name, layer]) => Array.from({ length: layer.length }, (_, i) => [name, layer.feature(i).properties]));
}
