// addresses.test.mjs - every address of the server's own table, as every role.
//
// Plan
//   table: the addresses and their parameters are those of /api, which is made of
//   the table of routes; one that has no rule here, or no value, fails the test
//   rule: what each role is answered, of layers of each kind
//   leaks: whatever the parameters, no answer has an id of a row that the role
//   does not see, nor a column that is hidden from it
//   links: what a document leads to is there for whom it was told to
//   GDAL: lists the layers of each role without meeting one that is not for it
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { after, before } from 'node:test';

import { each, questionsOf, templateOf, Z } from './addresses.mjs';
import { askAs, csv, features, layersOf, makeSynthetic, rowsOf, token } from './roles.mjs';
import { run, tileX, tileY } from './sample.mjs';
import { serve } from './server.mjs';

const ROLES = ['wall', 'analyst', 'officer', 'ingest', 'admin', 'nobody'];
/* A layer of each kind: rows of persons, columns of persons, neither, units. */
const ASKED = ['visit', 'rental', 'hazard', 'town'];

let about, rows, as, url, who, town, place, secret, city;
const hooks = [];
const context = { after: (done) => hooks.push(done) };

before(async () => {
    ({ city } = await makeSynthetic(context, 0.002));
    about = Object.fromEntries((await layersOf(city)).map((l) => [l.name, l]));
    rows = {};
    await each(Object.keys(about), async (name) => { rows[name] = await rowsOf(city, name); }, 2);
    const count = {};
    for (const row of rows.hazard) count[row.town] = (count[row.town] ?? 0) + 1;
    town = Object.keys(count).filter((id) => id).sort((a, b) => count[b] - count[a])[0];
    const mine = rows.hazard.find((row) => row.town === town);
    place = { lon: Number(mine.lon), lat: Number(mine.lat) };
    who = { nobody: '' };
    // As often as it takes.
    const file = path.join(city, 'roles.json'), roles = JSON.parse(await readFile(file, 'utf8'));
    for (const role of Object.values(roles.roles)) role.rate_per_s = 0;
    await writeFile(file, JSON.stringify(roles));
    for (const role of ROLES.slice(0, -1)) who[role] = await fresh(role);
    ({ url } = await serve(context, city));
    as = Object.fromEntries(ROLES.map((role) => [role, askAs(url, who[role])]));
    // Ids of rows that a role does not see. Some layers give ids like others.
    secret = {};
    for (const role of ROLES) {
        const seen = new Set(), unseen = new Set();
        for (const [name, all] of Object.entries(rows))
            for (const row of all) (seesRow(role, name, row) ? seen : unseen).add(row.id);
        secret[role] = new Set([...unseen].filter((id) => !seen.has(id)));
    }
});
after(async () => { for (const done of hooks.reverse()) await done(); });

/** A token that has been told no rows yet. */
const fresh = (role) => token(city, role, ...(role === 'officer' ? ['--area', `town:${town}`] : []));
/** Whoever asks with it is known within a second or two. */
async function known(text) {
    for (let i = 0; i < 1200 && (await askAs(url, text)('/health')).status + (await askAs(url, text)('/conformance')).status !== 400; i++) await new Promise((resolve) => setTimeout(resolve, 100));
    return text;
}

// ---- the rule

const counts = (role) => role === 'wall' || role === 'analyst';
const sees = (role, layer) => role !== 'ingest' && role !== 'nobody' && layer in about;
const seesRows = (role, layer) => sees(role, layer) && !(counts(role) && about[layer].personal);
const exports = (role) => ['analyst', 'officer', 'admin'].includes(role);
const writes = (role) => role === 'ingest' || role === 'admin';
function seesRow(role, layer, row) {
    if (!seesRows(role, layer)) return false;
    if (role !== 'officer') return true;
    if (about[layer].unit_level === 'town') return row.id === town;
    return !('town' in row) || row.town === town;
}
const hidden = (role, layer) => (counts(role) ? about[layer]?.personal_columns ?? [] : []);
const GOOD = [200, 204], NONE = [404], BAD = [400];
const there = (is) => (is ? GOOD : NONE);

/** What is answered without a parameter that may be left out: statuses by role
 * and layer. An address of no layer is asked once. */
const page = () => GOOD, document = () => GOOD;
const ofLayer = (role, layer) => there(sees(role, layer)), ofRows = (role, layer) => there(seesRows(role, layer));
const files = (role, layer) => there(seesRows(role, layer) && exports(role));
const written = (role, layer) => (writes(role) ? [400, 411, 412, 415, ...(about[layer]?.unit_level ? [405] : [])] : NONE);
const map = (role, layer, v) => v.extension === 'days' ? days(role, layer) : there(v.extension === 'png' || v.f === 'png' ? seesRows(role, layer) : sees(role, layer));
const heat = (role, layer) => there(seesRows(role, layer) && about[layer].geometry === 'point');
const days = (role, layer) => (!seesRows(role, layer) || about[layer].geometry !== 'point' ? NONE : about[layer].time ? GOOD : BAD);
const RULE = {
    'get /': page, 'get /analyst': page, 'get /community': page, 'get /embed': page, 'get /embed.js': page, 'get /wall': page, 'get /sheet': page,
    'get /pages/{file}': page, 'get /pages/{folder}/{file}': page, 'get /health': page, 'get /ready': page, 'get /conformance': document, 'get /api': document,
    'get /metrics': (role) => there(role === 'admin'), 'get /changes': document, 'post /walls/{wall}': (role) => (role === 'nobody' ? NONE : [200, 204, 400, 404]),
    'get /positions': (role) => there(sees(role, 'worker')), 'post /positions': written,
    'get /tiles/{name}/{z}/{x}/{y}.{extension}': map, 'get /tiles/{name}.json': ofLayer, 'get /tiles/{name}/metadata.json': ofLayer, 'get /styles/{name}.json': ofLayer,
    'get /catalog': document, 'get /tileMatrixSets': document, 'get /tileMatrixSets/{tileMatrixSet}': document,
    'get /wmts': () => BAD, 'get /wmts/1.0.0/WMTSCapabilities.xml': document,
    'get /wmts/1.0.0/{name}/{style}/{tileMatrixSet}/{tileMatrix}/{tileRow}/{tileCol}.png': ofRows,
    'get /wmts/1.0.0/{name}/{style}/{time}/{tileMatrixSet}/{tileMatrix}/{tileRow}/{tileCol}.png': ofRows,
    'get /wmts/1.0.0/{name}/{style}/{tileMatrixSet}/{tileMatrix}/{tileRow}/{tileCol}/{j}/{i}.json': ofRows,
    'get /wmts/1.0.0/{name}/{style}/{time}/{tileMatrixSet}/{tileMatrix}/{tileRow}/{tileCol}/{j}/{i}.json': ofRows,
    'get /legend/{name}.json': ofRows, 'get /legend/{name}.png': ofRows, 'get /map.png': () => BAD, 'get /value': () => BAD,
    'get /density/{name}.tif': (role, layer) => (exports(role) ? heat(role, layer) : NONE),
    'get /stats/{layer}': ofLayer, 'get /nearest/{layer}': (role, layer) => (seesRows(role, layer) ? BAD : NONE), 'get /reach': () => BAD, 'get /search': () => BAD, 'get /reverse': () => BAD,
    'get /hotspots/{layer}': (role, layer) => (!seesRows(role, layer) ? NONE : about[layer].geometry === 'point' ? GOOD : BAD), 'get /coverage/{kind}': (role) => (role === 'ingest' ? [400, 404] : GOOD),
    'get /collections': document, 'get /collections/{layer}': ofLayer, 'get /collections/{layer}/queryables': ofLayer,
    'get /collections/{layer}/tiles': ofLayer, 'get /collections/{layer}/tiles/{tileMatrixSet}': ofLayer,
    'get /collections/{layer}/map/tiles': ofRows, 'get /collections/{layer}/map/tiles/{tileMatrixSet}': ofRows,
    'get /collections/{layer}/tiles/{tileMatrixSet}/{tileMatrix}/{tileRow}/{tileCol}': ofLayer,
    'get /collections/{layer}/map/tiles/{tileMatrixSet}/{tileMatrix}/{tileRow}/{tileCol}': ofRows,
    'get /collections/{layer}/items': ofRows, 'get /collections/{layer}/items.{format}': files, 'get /collections/{layer}/items/{id}': ofRows,
    // A question by a form, which none of these is (asked.test.mjs).
    'post /nearest/{layer}': () => [415], 'post /reach': () => [415], 'post /search': () => [415],
    'post /collections/{layer}/items': written, 'put /collections/{layer}/items/{id}': written, 'patch /collections/{layer}/items/{id}': written, 'delete /collections/{layer}/items/{id}': written,
};
const OPEN = 'get /health';

// ---- what an answer has

/** Columns by which an answer has values of rows of this layer. */
function columnsIn(answer, layer) {
    const type = answer.headers['content-type'] ?? '';
    if (/geo\+json|application\/json/.test(type)) {
        const found = new Set();
        JSON.parse(answer.text(), (key, value) => { if (key === 'properties' && value && !Array.isArray(value) && !value.type) Object.keys(value).forEach((k) => found.add(k)); return value; });
        return [...found];
    }
    if (type.startsWith('text/csv')) return Object.keys(csv(`${answer.text().split('\n', 2).join('\n')}\n`)[0] ?? {});
    if (type.includes('mapbox-vector-tile')) return features(answer.body).filter(([name]) => name === layer || name === 'cells').flatMap(([, p]) => Object.keys(p)).map((k) => k.replace(/^sum:/, ''));
    return [];
}

/** What is wrong with an answer, whatever was asked. */
function faults(role, target, layer, answer) {
    const type = answer.headers['content-type'] ?? '', found = [];
    if (answer.status >= 500 || (role !== 'nobody' && answer.status === 401)) found.push(`${answer.status} ${answer.text().slice(0, 300)}`);
    if (role === 'nobody' || /image\/png|javascript|text\/css/.test(type) || !answer.body.length) return found.map((f) => `${role} ${target}: ${f}`);
    const id = (answer.body.toString('latin1').match(/[A-Za-z]+-?\d{2,}|\d{9,}/g) ?? []).find((word) => secret[role].has(word));
    if (id) found.push(`${answer.status} has ${id}`);
    if (answer.status === 200 && /^\/(collections|tiles|nearest)\//.test(target))
        for (const column of columnsIn(answer, layer)) if (hidden(role, layer).includes(column)) found.push(`has ${column}`);
    return found.map((f) => `${role} ${target}: ${f}`);
}

test('every address of the table, as every role', async () => {
    const api = (await as.admin('/api')).json();
    const lines = Object.entries(api.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));
    assert.deepEqual([...new Set(lines.map((line) => templateOf(line, RULE)))].sort(), Object.keys(RULE).sort(), 'each address has a rule here, and each rule an address');
    const asked = { about, place, town, id: (layer) => rows[layer].find((row) => seesRow('officer', layer, row)).id };
    const questions = questionsOf(api, RULE, asked, ASKED);
    assert.ok(questions.length > 800, `${questions.length}`);
    const wrong = [];
    for (const role of ROLES)
        await each(questions, async ({ method, target, template, layer, at, plain }) => {
            // All parameters for those from whom something is hidden.
            if (!plain && (!['wall', 'officer'].includes(role) || layer === 'town')) return;
            // Nothing is written by whoever may: the row is another one.
            const answer = await as[role](target, { method, headers: method === 'GET' ? {} : { 'if-match': '"999999999999"' } });
            if (role === 'nobody') assert.equal(answer.status, template === OPEN ? 200 : 401, `${method} ${target}`);
            else if (plain) {
                const want = RULE[template](role, layer, at);
                // Rows of the wall are counted, and it has asked for many.
                if (answer.status === 429 && role === 'wall' && /too many rows/.test(answer.text())) return;
                if (!want.includes(answer.status)) wrong.push(`${role} ${method} ${target}: ${answer.status}, not ${want}; ${answer.text().slice(0, 150)}`);
            }
            if (method === 'GET') wrong.push(...faults(role, target, layer, answer));
        });
    assert.deepEqual(wrong, []);
});

test('what documents lead to is there', async () => {
    for (const role of ROLES.slice(0, -1)) {
        const ask = askAs(url, await known(await fresh(role))), met = new Set(), list = ['/?f=json', '/collections', '/catalog', '/wmts/1.0.0/WMTSCapabilities.xml', '/tileMatrixSets'];
        const fill = (href) => href.replace(url, '').replace(/\{(\w+)\}/g, (_, name) => ({ z: Z, x: tileX(place.lon, Z), y: tileY(place.lat, Z), Style: 'dark', TileMatrixSet: 'WebMercatorQuad', TileMatrix: Z, tileMatrix: Z,
            TileRow: tileY(place.lat, Z), tileRow: tileY(place.lat, Z), TileCol: tileX(place.lon, Z), tileCol: tileX(place.lon, Z), Time: 'all', I: 128, J: 128, name: 'wall', fontstack: 'x', range: '0-255' })[name] ?? `{${name}}`);
        const lead = (href) => {
            if (!href.startsWith(url) && !href.startsWith('/')) return;
            let to = fill(href);
            // Whole files are written to be read; a row of each will do.
            if (/\/items(\.|\?)/.test(to)) to += `${to.includes('?') ? '&' : '?'}limit=1`;
            if (!met.has(to)) { met.add(to); list.push(to); }
        };
        list.forEach((to) => met.add(to));
        for (let i = 0; i < list.length; i++) {
            const answer = await ask(list[i]), type = answer.headers['content-type'] ?? '';
            assert.ok([200, 204].includes(answer.status), `${role} is led to ${list[i]}: ${answer.status} ${answer.text().slice(0, 600)}`);
            assert.deepEqual(faults(role, list[i], null, answer), []);
            if (/json/.test(type) && !/geo\+json/.test(type) && !list[i].startsWith('/api'))
                JSON.parse(answer.text(), (key, value) => {
                    if (key === 'href' || key === 'legend' && typeof value === 'string') lead(value);
                    if (key === 'tiles' && Array.isArray(value)) value.filter((v) => typeof v === 'string').forEach(lead);
                    return value;
                });
            if (/xml/.test(type)) for (const [, href] of answer.text().matchAll(/(?:template|xlink:href)="([^"]+)"/g)) if (!/GetEncoding|\/wmts\?$|\/wmts\/1\.0\.0\/$/.test(href)) lead(href.replaceAll('&amp;', '&'));
        }
        assert.ok(role === 'ingest' ? met.size < 40 : met.size > 200, `${role}: ${met.size}`);
    }
});

test('GDAL meets no layer that is not for the role', async () => {
    for (const role of ROLES.slice(0, -1)) {
        const env = { GDAL_HTTP_HEADERS: `Authorization: Bearer ${await known(await fresh(role))}`, CPL_VSIL_CURL_USE_CACHE: 'NO' };
        const names = Object.keys(about).filter((name) => seesRows(role, name));
        if (!names.length) {
            assert.deepEqual((await as[role]('/collections')).json().collections, []);
            continue;
        }
        const { stdout, stderr } = await run('ogrinfo', ['-so', '-al', `OAPIF:${url}`], env);
        assert.equal(stderr, '', role);
        assert.deepEqual([...stdout.matchAll(/^Layer name: (\w+)$/gm)].map((m) => m[1]).sort(), names.sort(), role);
        for (const [, name, n] of stdout.matchAll(/Layer name: (\w+)\n[^]*?Feature Count: (\d+)\n/g))
            assert.equal(Number(n), rows[name].filter((row) => seesRow(role, name, row)).length, `${role} ${name}`);
        for (const [, name, text] of stdout.matchAll(/Layer name: (\w+)\n([^]*?)(?=\nLayer name|$)/g))
            for (const column of hidden(role, name)) assert.ok(!text.includes(`\n${column}: `), `${role} ${name}.${column}`);
    }
});
