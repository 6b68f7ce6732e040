// sample.mjs - a small city of every kind of layer, and questions to a server.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { done, folder, random } from './onemap.mjs';

export const WEST = 113.5, SOUTH = 22.7, STEP = 0.1, SIDE = 4, ROWS = 5000;
export const KINDS = ['shop', 'home', '工厂'];

function collection(features) {
    return JSON.stringify({ type: 'FeatureCollection', features });
}

function squares() {
    const features = [];
    for (let row = 0; row < SIDE; row++)
        for (let col = 0; col < SIDE; col++) {
            const x = [WEST + col * STEP, WEST + (col + 1) * STEP], y = [SOUTH + row * STEP, SOUTH + (row + 1) * STEP];
            features.push({
                type: 'Feature', properties: { id: `U${row}${col}`, name: `单元${row}${col}` },
                geometry: { type: 'Polygon', coordinates: [[[x[0], y[0]], [x[1], y[0]], [x[1], y[1]], [x[0], y[1]], [x[0], y[0]]]] },
            });
        }
    return collection(features);
}

/** Rows of the point layer, as the test knows them. */
export function places(rows = ROWS) {
    const next = random(7), out = [];
    for (let i = 0; i < rows; i++)
        out.push({
            // Cells of some meters have stacks: many share a place.
            lon: Number((WEST + next() * SIDE * STEP).toFixed(i % 3 ? 6 : 2)),
            lat: Number((SOUTH + next() * SIDE * STEP).toFixed(i % 3 ? 6 : 2)),
            id: `P${String(i).padStart(5, '0')}`, kind: i % 11 ? KINDS[i % 3] : null, weight: i % 10,
            note: `row ${(i * 7919) % 10007}, "quoted"`,
            at: `2023-0${1 + i % 4}-${String(1 + i % 28).padStart(2, '0')}T12:00:00+08:00`,
        });
    return out;
}

function csv(rows) {
    const quote = (text) => `"${text.replaceAll('"', '""')}"`;
    return ['lon,lat,id,kind,weight,note,at', ...rows.map((r) =>
        [r.lon, r.lat, r.id, r.kind ?? '', r.weight, quote(r.note), r.at].join(','))].join('\n') + '\n';
}

function roads() {
    return collection(Array.from({ length: 30 }, (_, i) => ({
        type: 'Feature', properties: { id: `R${i}`, kind: i % 2 ? 'street' : 'lane' },
        geometry: { type: 'LineString', coordinates: [[WEST + 0.01 * i, SOUTH], [WEST + 0.01 * i + 0.05, SOUTH + 0.39]] },
    })));
}

/** {dir, city}: units `square`, points `place` (timed), lines `road`. */
export async function makeCity(t) {
    const dir = await folder(t), city = path.join(dir, 'city');
    await writeFile(path.join(dir, 'units.geojson'), squares());
    await writeFile(path.join(dir, 'places.csv'), csv(places()));
    await writeFile(path.join(dir, 'roads.geojson'), roads());
    await done('import', city, 'square', path.join(dir, 'units.geojson'), '--as', 'unit:square', '--id', 'id');
    await done('import', city, 'place', path.join(dir, 'places.csv'), '--x', 'lon', '--y', 'lat', '--id', 'id', '--time', 'at');
    await done('import', city, 'road', path.join(dir, 'roads.geojson'), '--id', 'id');
    return { dir, city };
}

/** Ask for what is there. */
export { ask as get } from './ask.mjs';

/** Run a program of the system to its end: its output, or an error with it. */
export function run(program, args, env = {}) {
    return new Promise((resolve, reject) => {
        execFile(program, args, { maxBuffer: 1 << 28, encoding: 'utf8', env: { ...process.env, ...env } }, (error, stdout, stderr) =>
            error ? reject(new Error(`${program} ${args.join(' ')}: ${stderr || error.message}`)) : resolve({ stdout, stderr }));
    });
}

/** Tile of a place. */
export const tileX = (lon, z) => Math.floor((lon + 180) / 360 * 2 ** z);
export const tileY = (lat, z) => Math.floor((1 - Math.asinh(Math.tan(lat * Math.PI / 180)) / Math.PI) / 2 * 2 ** z);
