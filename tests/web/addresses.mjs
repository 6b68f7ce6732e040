// addresses.mjs - every address of a server, out of its own table of routes.
import assert from 'node:assert/strict';

import { tileX, tileY } from './sample.mjs';

export const Z = 10;

/* Values of each parameter: some that are good, some that reach for what is
 * hidden. {layer} is the layer that is asked. */
export const VALUES = {
    list: ['/collections/{layer}/items?limit=1'],
    f: ['json', 'csv', 'geojson', 'mvt', 'png'], bbox: ['113.6,22.8,113.9,23.1'], 'bbox-crs': ['http://www.opengis.net/def/crs/OGC/1.3/CRS84'], crs: ['http://www.opengis.net/def/crs/OGC/1.3/CRS84'],
    datetime: ['2023-06'], limit: ['5'], filter: ['id IS NOT NULL', "level = 'strict'", "worker IS NOT NULL", 'residents > 5'], 'filter-lang': ['cql2-text'], 'filter-crs': ['http://www.opengis.net/def/crs/OGC/1.3/CRS84'],
    sortby: ['-id', 'level', '-worker'], properties: ['id', 'level', 'worker,target_id', 'residents'], next: ['x'], by: ['town', 'level', 'worker', 'day', 'target_id', 'residents'], sum: ['residents', 'found', 'severity'],
    series: ['day'], share: ["level = 'strict'", 'severity >= 3'], kernel: ['gaussian'], bandwidth: ['2000'], weight: ['residents', 'severity'], cell: ['500'], halflife: ['30'], at: ['2023-06-01T00:00:00+08:00'],
    per: ['resident', 'house', 'visit', 'area'], palette: ['light'], lon: [(at) => at.place.lon], lat: [(at) => at.place.lat], z: ['14'], v: ['1'], labels: ['no'], stat: ['count', 'gistar', 'patrol'],
    column: ['residents', 'coverage'], size: ['512'], layer: ['{layer}'], name: ['heat:{layer}', 'heat:rental_fire'], units: ['village', 'hex:1000'], exposure: ['visit', 'rental:residents'], rate: ['raw'], neighbours: ['contiguity'],
    step: ['month'], compare: ['cube'], each: ['level', 'department'], floor: ['10'], moments: ['total'], confidence: ['90'], eps: ['500'], min: ['5'], month: ['2023-05'], mode: ['walk'], reach: ['500'],
    q: ['东莞', 'a', '{layer}'], k: ['5'], layers: ['{layer}', 'town,{layer}'], since: ['0'], minutes: ['10'], within: ['POLYGON((113.7 22.9,113.9 22.9,113.9 23.1,113.7 22.9))'], near: ['113.75,23.02'], radius: ['3000'],
    Service: ['WMTS'], Request: ['GetCapabilities', 'GetTile'], Version: ['1.0.0'], AcceptVersions: ['1.0.0'], Layer: ['{layer}', 'heat:{layer}'], Style: ['dark'], Format: ['image/png'], TileMatrixSet: ['WebMercatorQuad'], TileMatrix: [`${Z}`],
    TileRow: [(at) => tileY(at.place.lat, Z)], TileCol: [(at) => tileX(at.place.lon, Z)], Time: ['all'], I: ['128'], J: ['128'], InfoFormat: ['application/json'],
    lang: ['en'], scale: ['2'], legend: ['no'], opacity: ['0.5'], width: ['300'], height: ['200'], bezel: ['1x1,0'], center: ['113.75,23.02'], zoom: ['12'], map: ['pictures'], theme: ['dark'], town: [(at) => at.town], village: ['V1'], wall: ['test'],
    motion: ['none'], replay: ['1'], id: ['1'], drive: ['test'], press: ['m'], level: ['town', 'rental:level'], unit: [(at) => `town:${at.town}`], partial: ['true'], upsert: ['true'], rows: ['true'], all: ['true'], overdue: ['true'], levels: ['true'],
    with_filter: ['severity >= 3', "level = 'strict'"], with_datetime: ['2023-05'], form: ['lines'], ramp: ['cool'],
    sliver: ['10'], measure: ['residents'], mark: ['10'], balance: ['true'], sorted: ['true'], state: ['overdue'], people: ['address:residents'], among: ['building'], over: ['10'], factor: ['1.5'], limits: ['5,10'], worst: ['3'], areas: ['true'], centres: ['true'], access: ['true'], spacing: ['500'],
};
/** What an address cannot be asked without. */
const NEEDS = {
    'get /map.png': { layers: '{layer}', width: '300', height: '200' }, 'get /value': { name: 'heat:{layer}', lon: (at) => at.place.lon, lat: (at) => at.place.lat }, 'get /nearest/{layer}': { lon: (at) => at.place.lon, lat: (at) => at.place.lat },
    'get /reach': { lon: (at) => at.place.lon, lat: (at) => at.place.lat, minutes: '10' }, 'get /search': { q: '{layer}' }, 'get /reverse': { lon: (at) => at.place.lon, lat: (at) => at.place.lat }, 'get /changes': { since: '0' },
    'get /wmts': { Service: 'WMTS', Request: 'GetTile', Version: '1.0.0', Layer: 'heat:{layer}', Style: 'dark', Format: 'image/png', TileMatrixSet: 'WebMercatorQuad', TileMatrix: `${Z}`, TileRow: (at) => tileY(at.place.lat, Z), TileCol: (at) => tileX(at.place.lon, Z) },
};

/* What takes an analysis is asked with what reaches for something, not with all. */
const DEAR = /^get \/(coverage|hotspots)\//, REACHING = ['by', 'layer', 'weight', 'each', 'exposure', 'per', 'measure', 'people', 'filter', 'levels', 'rows'];

/** What stands in the place of {name} in a path; of some there are several. */
function paths(template, layer, city) {
    const { place, about } = city, tile = { x: tileX(place.lon, Z), y: tileY(place.lat, Z) };
    const heat = layer && about[layer].geometry === 'point' && /legend|wmts/.test(template);
    const values = { z: Z, ...tile, tileMatrix: Z, tileRow: tile.y, tileCol: tile.x, i: 128, j: 128, layer, name: heat ? `heat:${layer}` : layer, style: 'dark', time: 'all', tileMatrixSet: 'WebMercatorQuad',
        wall: 'test', kind: 'partition', file: template.includes('{folder}') ? 'wall.js' : 'style.css', folder: 'wall', id: layer && city.id(layer) };
    const one = (more) => ({ ...more, target: template.replace(/\{(\w+)\}/g, (_, name) => {
        const value = more[name] ?? values[name];
        assert.notEqual(value, undefined, `${template}: no value for {${name}}`);
        return encodeURIComponent(value).replaceAll('%3A', ':');
    }) });
    if (template.includes('{extension}')) return [...['mvt', 'png'].map((extension) => one({ extension })), one({ extension: 'days', name: `heat:${layer}` }), one({ extension: 'units', name: 'town' })];
    if (template.includes('{format}')) return ['csv', 'geojson', 'gpkg', 'fgb'].map((format) => one({ format }));
    return [one({})];
}

/** The template that a line of /api is of, of `known`: layers and kinds are listed by name, too. */
export function templateOf(line, known) {
    if (line in known) return line;
    return line.replace(/^(get \/collections\/)[^/{}]+(\/items)$/, '$1{layer}$2').replace(/^get \/coverage\/\w+$/, 'get /coverage/{kind}');
}

/**
 * [{method, target, template, layer, at, plain}] of all that /api lists: each
 * address without a parameter (`plain`), then with one after the other.
 * api      the document, as somebody got it who sees everything
 * known    an object whose keys are "get /path/{layer}"
 * city     about: {layer: its member of city.json}, place: {lon, lat}, town,
 *          id(layer): of a row
 * layers   that are asked in the place of {layer} and {name}
 */
export function questionsOf(api, known, city, layers) {
    const list = [];
    const valueOf = (value, layer) => String(typeof value === 'function' ? value(city) : value).replaceAll('{layer}', layer ?? layers[1]);
    for (const [path, methods] of Object.entries(api.paths))
        for (const [method, operation] of Object.entries(methods)) {
            const line = `${method} ${path}`, template = templateOf(line, known);
            const names = operation.parameters.filter((p) => p.in !== 'path').map((p) => p.name ?? p.$ref.split('/').at(-1));
            // Items are listed for each layer once more, with its columns.
            const named = template !== line && path.startsWith('/collections') ? path.split('/')[2] : null;
            const columns = new Set(named ? [...city.about[named].columns.map((c) => c.name), ...Object.keys(city.about).filter((l) => city.about[l].unit_level)] : []);
            const speaks = JSON.stringify([NEEDS[template] ?? {}, ...names.map((n) => VALUES[n] ?? '')]).includes('{layer}');
            for (const layer of named ? layers.filter((l) => l === named) : /\{(layer|name)\}/.test(path) ? layers : speaks ? layers.slice(0, 2) : [null])
                for (const at of paths(path, layer, city)) {
                    const needs = Object.fromEntries(Object.entries(NEEDS[template] ?? {}).map(([name, value]) => [name, valueOf(value, layer)]));
                    const ask = (params, plain) => list.push({ method: method.toUpperCase(), target: at.target + (Object.keys(params).length ? `?${new URLSearchParams(params)}` : ''), template, layer, at, plain });
                    // A stream has no end.
                    ask(template === 'get /changes' ? needs : {}, true);
                    if (Object.keys(needs).length) ask(needs, false);
                    for (const name of names) {
                        if (columns.has(name) || name in needs) continue;
                        assert.ok(name in VALUES, `${line}: no value for the parameter ${name}`);
                        if (method !== 'get' || (DEAR.test(template) && !REACHING.includes(name)) || (at.format && at.format !== 'csv')) continue;
                        for (const value of VALUES[name]) ask({ ...needs, [name]: valueOf(value, layer) }, false);
                    }
                }
        }
    return list;
}

/** Ask many questions, some at a time. */
export async function each(list, ask, at = 6) {
    let next = 0;
    await Promise.all(Array.from({ length: at }, async () => { while (next < list.length) await ask(list[next++]); }));
}
