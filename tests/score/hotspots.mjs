// hotspots.mjs - how the analysis does against what was planted: planted ones
// found, emerging ones classified, and false alarms in cities without any.
//
//   node tests/score/hotspots.mjs CITY TRUTH.json       a city and its truth
//   node tests/score/hotspots.mjs --plain SCALE SEEDS   cities without hotspots
//
// The truth is read here only, never by the program.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const PROGRAM = process.env.ONEMAP ?? path.resolve('build/onemap');

function run(...args) {
    return new Promise((resolve, reject) => {
        execFile(PROGRAM, [...args.map(String), '--quiet'], { maxBuffer: 1 << 30 },
            (error, stdout, stderr) => error ? reject(new Error(stderr)) : resolve(stdout));
    });
}
export async function ask(city, layer, ...args) {
    return JSON.parse(await run('hotspots', city, layer, '--format', 'geojson', '--limit', 50000, ...args));
}

/** Metres between two places, well enough for a city. */
function metres([lon1, lat1], [lon2, lat2]) {
    const x = (lon1 - lon2) * Math.cos(((lat1 + lat2) * Math.PI) / 360);
    return Math.hypot(x, lat1 - lat2) * 111195;
}
/** Does a polygon hold the place, or come within `m` metres of it? */
function near(geometry, at, m) {
    const polygons = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates;
    let inside = false;
    for (const polygon of polygons)
        for (const ring of polygon)
            for (let i = 1; i < ring.length; i++) {
                const [a, b] = [ring[i - 1], ring[i]];
                if ((a[1] > at[1]) !== (b[1] > at[1]) &&
                    at[0] < a[0] + ((b[0] - a[0]) * (at[1] - a[1])) / (b[1] - a[1]))
                    inside = !inside;
                if (metres(a, at) <= m || metres(b, at) <= m) return true;
            }
    return inside;
}

/* Designs of an analyst who knows nothing of what was planted. */
export const DESIGNS = [
    ['counts by grid', []],
    ['per visit, by grid', ['--per', 'visit']],
    ['per house, by grid', ['--per', 'house']],
    ['counts, hexagons of 200 m', ['--units', 'hex:200']],
    ['per house, hexagons of 200 m', ['--units', 'hex:200', '--per', 'house']],
    ['each department, share of all reports, by grid',
        ['--each', 'department', '--exposure', 'hazard']],
    ['each department, share of all reports, hexagons of 400 m',
        ['--units', 'hex:400', '--each', 'department', '--exposure', 'hazard', '--floor', '1']],
];

/** A planted one is found if an area that it reaches is significantly hot in
 *  its period, of its department where departments are told apart. */
function found(spot, features) {
    const at = [spot.lon, spot.lat];
    return features.some(({ properties: p, geometry }) => p.bin >= 2 &&
        (p.kind === undefined || p.kind === spot.department) && near(geometry, at, spot.radius_m));
}
const day = (text) => text.slice(0, 10);
function period(spot) {
    const last = new Date(Date.parse(spot.to) - 1000 + 8 * 3600e3);
    return `${day(spot.from)}/${day(last.toISOString())}`;
}

export async function scorePlanted(city, truth, say = console.log, designs = DESIGNS) {
    const periods = [...new Set(truth.hotspots.map(period))];
    const result = {};
    for (const [name, args] of designs) {
        let hits = 0, hot = 0, alone = 0;
        for (const p of periods) {
            const { features } = await ask(city, 'hazard', '--time', p, ...args);
            const spots = truth.hotspots.filter((s) => period(s) === p);
            hits += spots.filter((s) => found(s, features)).length;
            const red = features.filter((f) => f.properties.bin >= 2);
            hot += red.length;
            // Hot areas that no hotspot of any period reaches within 1.5 km.
            alone += red.filter((f) => !truth.hotspots.some((s) =>
                (f.properties.kind === undefined || f.properties.kind === s.department) &&
                near(f.geometry, [s.lon, s.lat], s.radius_m + 1500))).length;
        }
        say(`planted found ${hits}/${truth.hotspots.length}  hot ${hot}, of them ${alone} not within 1.5 km of a planted one  (${name})`);
        result[name] = { hits, hot, alone };
    }
    return result;
}

const RISING = ['new hot', 'consecutive hot', 'intensifying hot'];
export async function scoreEmerging(city, truth, say = console.log) {
    const spots = truth.hotspots.filter((s) => s.emerging);
    const result = {};
    for (const [name, args] of [['counts', []], ['per visit', ['--per', 'visit']], ['per house', ['--per', 'house']]]) {
        const { features, classes } = await ask(city, 'hazard', '--stat', 'emerging', ...args);
        const hits = spots.map((s) => features
            .filter((f) => near(f.geometry, [s.lon, s.lat], s.radius_m))
            .map((f) => f.properties.class));
        const good = hits.filter((h) => h.some((c) => RISING.includes(c))).length;
        say(`emerging classified ${good}/${spots.length}  (${name}, weekly: ${hits.map((h) => h.join(', ')).join(' | ')})`);
        say(`  in the whole city: ${Object.entries(classes).filter(([, n]) => n).map(([c, n]) => `${c} ${n}`).join(', ')}`);
        result[name] = { good, of: spots.length };
    }
    return result;
}

/** Discoveries in cities without hotspots: all of them are false. */
export async function scorePlain(scale, seeds, say = console.log) {
    const dir = await mkdtemp(path.join(tmpdir(), 'onemap-plain-'));
    const designs = [['per visit, Gi*', ['--per', 'visit']],
        ['per visit, local Moran', ['--per', 'visit', '--stat', 'moran']],
        ['each department', ['--each', 'department', '--exposure', 'hazard']]];
    const any = designs.map(() => 0), total = designs.map(() => 0);
    try {
        for (let seed = 1; seed <= seeds; seed++) {
            const source = path.join(dir, `${seed}.src`), city = path.join(dir, `${seed}`);
            await run('synth', source, '--scale', scale, '--seed', seed, '--plain',
                '--only', 'town,village,grid,rental,premises,hazard,visit');
            await run('import', city, '--all', source);
            for (const [i, [, args]] of designs.entries()) {
                const { features } = await ask(city, 'hazard', ...args);
                const n = features.filter((f) => Math.abs(f.properties.bin) >= 2).length;
                any[i] += n > 0;
                total[i] += n;
            }
            await rm(source, { recursive: true });
            await rm(city, { recursive: true });
        }
    } finally {
        await rm(dir, { recursive: true, force: true });
    }
    for (const [i, [name]] of designs.entries())
        say(`false alarms in ${any[i]} of ${seeds} plain cities (5 % promised), ${total[i]} areas in all  (${name}, scale ${scale})`);
    return any;
}

if (process.argv[1] === import.meta.filename || process.argv[1]?.endsWith('score/hotspots.mjs')) {
    const [first, second, third] = process.argv.slice(2);
    if (first === '--plain') {
        await scorePlain(Number(second ?? 0.1), Number(third ?? 20));
    } else {
        const truth = JSON.parse(await readFile(second, 'utf8'));
        await scorePlanted(first, truth);
        await scoreEmerging(first, truth);
    }
}
