// release_sample.mjs - a city, its rows as the test counts them, and what
// somebody who holds a release can work out from it.
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { done, onemap, random } from './onemap.mjs';

export const ADDRESSES = 10, INCIDENTS = 5, ROUND = 5;
export const round = (n) => Math.floor((n + 2) / 5) * 5;

/** Lines of a CSV without quotes inside fields that matter here. */
export function table(text) {
    const lines = text.replace(/^\uFEFF/, '').trimEnd().split(/\r?\n/).map((line) =>
        [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((m) => m[1]?.replaceAll('""', '"') ?? m[2]));
    const head = lines.shift();
    return lines.map((cells) => Object.fromEntries(head.map((name, i) => [name, cells[i]])));
}

const SIDE = 12, STEP = 0.01, WEST = 113.5, SOUTH = 22.7;
const zone = (i) => String(i).padStart(2, '0');

/** Units as squares of `by` x `by` grids. */
export function squares(level, by) {
    const features = [];
    for (let row = 0; row < SIDE; row += by)
        for (let col = 0; col < SIDE; col += by) {
            const x = [WEST + col * STEP, WEST + (col + by) * STEP], y = [SOUTH + row * STEP, SOUTH + (row + by) * STEP];
            features.push({ type: 'Feature', properties: { id: `${level}${zone(row)}${zone(col)}`, name: `${level} ${row} ${col}` },
                geometry: { type: 'Polygon', coordinates: [[[x[0], y[0]], [x[1], y[0]], [x[1], y[1]], [x[0], y[1]], [x[0], y[0]]]] } });
        }
    return JSON.stringify({ type: 'FeatureCollection', features });
}

/** A place, more often in some grids than in others, and in which units. */
function scatter(next, peaks) {
    const peak = peaks[Math.floor(next() ** 2 * peaks.length)];
    const at = [0, 1].map((k) => next() < 0.3 ? next() * SIDE : Math.min(SIDE - 0.01, Math.max(0.01, peak[k] + (next() + next() - 1) * 3)));
    const unit = (level, by) => `${level}${zone(Math.floor(at[1] / by) * by)}${zone(Math.floor(at[0] / by) * by)}`;
    return { lon: (WEST + at[0] * STEP).toFixed(6), lat: (SOUTH + at[1] * STEP).toFixed(6), grid: unit('grid', 1), village: unit('village', 3), town: unit('town', 6) };
}

const csv = (rows, names) => `${['lon', 'lat', ...names].join(',')}\n${rows.map((r) => ['lon', 'lat', ...names].map((n) => r[n]).join(',')).join('\n')}\n`;

/**
 * {dir, city, hazards, addresses}: 144 grids in 16 villages in 4 towns, reports
 * of five months and addresses, many in some grids and few or none in others.
 */
export async function makeCity() {
    const dir = await mkdtemp(path.join(tmpdir(), 'onemap-release-'));
    const source = path.join(dir, 'source'), city = path.join(dir, 'city'), next = random(11);
    const peaks = Array.from({ length: 9 }, () => [next() * SIDE, next() * SIDE]);
    const addresses = Array.from({ length: 4000 }, (_, i) => ({ ...scatter(next, peaks), id: `A${i}`, text: `某路${i}号` }));
    const hazards = Array.from({ length: 14000 }, (_, i) => {
        const at = Date.parse('2023-02-01T00:00:00+08:00') + Math.floor(next() * 149 * 86400) * 1000;
        return { ...scatter(next, peaks), id: `H${i}`, severity: next() < 0.002 ? 4 : 1 + Math.floor(next() * 3), returned: next() < 0.3 ? 1 : 0,
            handler: next() < 0.5 ? 'east' : 'west', worker: `G${i % 90}`, target_layer: i % 3 ? 'building' : 'rental', target_id: `R${i % 700}`, at,
            reported: new Date(at + 8 * 3600000).toISOString().replace('.000Z', '+08:00') };
    });
    await mkdir(source);
    for (const [level, by] of [['grid', 1], ['village', 3], ['town', 6]]) await writeFile(path.join(source, `${level}.geojson`), squares(level, by));
    const points = { address: [addresses, ['id', 'text']], hazard: [hazards, ['id', 'severity', 'returned', 'handler', 'worker', 'target_layer', 'target_id', 'reported']],
        rental: [addresses.slice(0, 300), ['id']], worker: [addresses.slice(0, 90), ['id']], shop: [addresses.slice(0, 200), ['id']] };
    for (const [layer, [rows, names]] of Object.entries(points)) await writeFile(path.join(source, `${layer}.csv`), csv(rows, names));
    const type = (n) => ({ severity: 'integer', returned: 'integer', reported: 'time', handler: 'category', worker: 'category', target_layer: 'category' })[n] ?? 'text';
    await writeFile(path.join(source, 'city.json'), JSON.stringify({ onemap: 1, name: 'made', zone: '+08:00', clock: '2023-06-30T00:00:00+08:00', levels: ['grid', 'village', 'town'],
        wishes: { village0000: 3 }, exposures: { address: { layer: 'address' } }, positions: { layer: 'worker', seen: 'seen' },
        duty: { targets: [{ layer: 'rental' }], reports: { layer: 'hazard', worker: 'worker' }, visits: { layer: 'visit', target_layer: 'target_layer', target: 'target_id' } },
        layers: [...['grid', 'village', 'town'].map((l) => ({ name: l, source: `${l}.geojson`, geometry: 'polygon', id: 'id', unit_level: l,
            columns: [{ name: 'id', type: 'text' }, { name: 'name', type: 'text' }] })),
        ...Object.entries(points).map(([name, [, names]]) => ({ name, source: `${name}.csv`, geometry: 'point', id: 'id', time: name === 'hazard' ? 'reported' : '',
            class: { address: 'restricted', hazard: 'internal', rental: 'internal', worker: 'internal', shop: 'public' }[name], columns: names.map((n) => ({ name: n, type: type(n) })) }))] }));
    await done('import', city, '--all', source, '--quiet');
    return { dir, city, hazards, addresses, plan: { publish: 1, addresses: 'address',
        layers: ['grid', 'village', 'town'].map((layer) => ({ layer, columns: ['id', 'name'] })) } };
}

/** Publish a plan; the release's manifest, report and what was said. */
export async function publish({ dir, city }, out, plan, ...args) {
    const file = path.join(dir, 'plan.json');
    await writeFile(file, JSON.stringify(plan));
    const said = await onemap('publish', city, out, '--plan', file, ...args);
    if (said.status) return said;
    const read = async (name) => JSON.parse(await readFile(path.join(out, name), 'utf8'));
    return { ...said, manifest: await read('city.json'), report: await read('report.json') };
}

/* ---- what anybody can see ---- */

const rings = (geometry) => geometry.type === 'Polygon' ? geometry.coordinates : geometry.coordinates.flat();

/** Is a place inside: even-odd over all rings. */
export function holds(geometry, [x, y]) {
    let inside = false;
    for (const ring of rings(geometry))
        for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
            const [a, b] = [ring[i], ring[j]];
            if ((a[1] > y) !== (b[1] > y) && x < a[0] + (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1])) inside = !inside;
        }
    return inside;
}

/** A place well inside: the middle of the widest stretch of some lines. */
export function placeIn(geometry) {
    const ys = rings(geometry).flat().map((p) => p[1]), low = Math.min(...ys), high = Math.max(...ys);
    let best = [0, null];
    for (const part of [0.5, 0.31, 0.69, 0.17, 0.83, 0.43]) {
        const y = low + part * (high - low), cuts = [];
        for (const ring of rings(geometry))
            for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
                const [a, b] = [ring[i], ring[j]];
                if ((a[1] > y) !== (b[1] > y)) cuts.push(a[0] + (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]));
            }
        cuts.sort((a, b) => a - b);
        for (let i = 0; i + 1 < cuts.length; i += 2)
            if (cuts[i + 1] - cuts[i] > best[0]) best = [cuts[i + 1] - cuts[i], [(cuts[i] + cuts[i + 1]) / 2, y]];
    }
    return best[1];
}

const shapes = async (where, layer) =>
    JSON.parse(await done('query', where, layer, '--format', 'geojson')).features;

/**
 * What a release tells of the rows of one layer: [{topic, period, region,
 * cells, value}], cells being the units that lie in the region, by outline.
 */
export async function figures(release, layer, unit) {
    const cells = (await shapes(release, unit)).map((f) => ({ id: f.id, at: placeIn(f.geometry) }));
    const regions = (await shapes(release, `${layer}_region`)).map((f) => ({ id: f.id, geometry: f.geometry, cells: [] }));
    for (const cell of cells) regions.find((r) => holds(r.geometry, cell.at)).cells.push(cell.id);
    const byId = new Map(regions.map((r) => [r.id, r.cells]));
    return table(await done('query', release, `${layer}_statistic`, '--format', 'csv')).map((row) => ({
        topic: row.topic, period: row.period, region: row[`${layer}_region`],
        cells: byId.get(row[`${layer}_region`]), value: Number(row.value),
    }));
}

/* ---- what can be worked out ---- */

/**
 * Bounds of every unknown count, from sums that are known within bounds: each
 * is [cells, topic, period, low, high]. Unknown is how many rows of a cell and
 * period are counted by just these topics (a class). Bounds are drawn tighter
 * until nothing moves.
 * classes: sets of topics that occur in a period, as the attacker knows them
 */
export function bounds(known, classes) {
    const unknown = new Map();
    const key = (period, cell, set) => `${period}|${cell}|${set}`;
    const sums = known.map(({ cells, topic, period, low, high }) => ({ low, high,
        parts: cells.flatMap((cell) => (classes.get(period) ?? []).filter((set) => topic(set)).map((set) => {
            const k = key(period, cell, set);
            if (!unknown.has(k)) unknown.set(k, { low: 0, high: Infinity });
            return unknown.get(k);
        })) }));
    for (let moved = true, turns = 0; moved && turns < 100; turns++) {
        moved = false;
        for (const { low, high, parts } of sums) {
            const lows = parts.reduce((s, p) => s + p.low, 0), open = parts.filter((p) => p.high === Infinity).length;
            const highs = parts.reduce((s, p) => s + (p.high === Infinity ? 0 : p.high), 0);
            for (const p of parts) {
                const most = high - (lows - p.low);
                const others = open - (p.high === Infinity ? 1 : 0);
                const least = others ? 0 : low - (highs - (p.high === Infinity ? 0 : p.high));
                if (most < p.high) { p.high = most; moved = true; }
                if (least > p.low) { p.low = least; moved = true; }
            }
        }
    }
    return { unknown, key };
}
