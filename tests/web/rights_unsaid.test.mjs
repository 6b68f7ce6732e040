// What a role's list leaves out looks as if it were not there, to the byte.
//
// Plan
//   two cities of the same rows: one has columns and layers that a role's words
//   leave out, one has never had them; whatever is asked of the two by that
//   role, by every address of the table of routes and by the names of what is
//   left out, is answered alike: status, type and body
//   words: no answer has the name of what is left out, unless the question had
//   it, nor a title of its values
//   the test can fail: who is shown the columns is answered otherwise
import assert from 'node:assert/strict';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { each, questionsOf, templateOf } from './addresses.mjs';
import { done, folder } from './onemap.mjs';
import { askAs, csv, rowsOf, token } from './roles.mjs';
import { serve } from './server.mjs';

/** Columns that the role does not list. Words of city.json name each of them. */
const GONE = { premises: ['fire_grade', 'name'], hazard: ['severity', 'due', 'worker'], service_centre: ['windows'], appeal: ['closed', 'channel'], business: ['name'], activity: ['title'], rental: ['model_house'] };
const LAYERS_GONE = ['tip', 'facility'];
/** Members of city.json that speak of them, and so are not there either. */
const MEMBERS_GONE = ['duty', 'service'];

/** A table without columns, written again. */
function without(text, columns) {
    const cell = (c) => (/[",\n]/.test(c ?? '') ? `"${c.replaceAll('"', '""')}"` : c ?? '');
    const rows = csv(text), names = text.split('\n', 1)[0].replace(/^\ufeff/, '').trim().split(',').filter((name) => !columns.includes(name));
    return [names.join(','), ...rows.map((row) => names.map((name) => cell(row[name])).join(',')), ''].join('\n');
}

/** city.json of a city that has never had them; what each part says is written here once more. */
function never(city) {
    const bare = structuredClone(city);
    for (const name of MEMBERS_GONE) delete bare[name];
    bare.layers = bare.layers.filter((l) => !LAYERS_GONE.includes(l.name));
    for (const layer of bare.layers) {
        const gone = GONE[layer.name] ?? [];
        layer.columns = layer.columns.filter((c) => !gone.includes(c.name));
        for (const titles of ['value_titles', 'value_titles_en', 'value_words']) for (const c of gone) delete layer[titles]?.[c];
        if (gone.includes(layer.picture_by)) for (const looks of ['picture_by', 'picture_titles', 'picture_titles_en', 'picture_colours']) delete layer[looks];
        for (const list of ['personal_columns', 'kinds']) if (layer[list]) layer[list] = layer[list].filter((c) => !gone.includes(c));
        if (gone.includes(layer.person)) delete layer.person;
    }
    const { wall } = bare;
    delete wall.map.hazards;
    delete wall.loop;
    delete wall.ranking;
    wall.register = wall.register.filter((one) => one.layer !== 'facility');
    wall.service = wall.service.filter((one) => one.sum !== 'windows');
    if (city.wall.participation.some((one) => !['tip', 'appeal'].includes(one.layer))) throw new Error('another panel');
    wall.participation = [];
    bare.search = bare.search.filter((one) => !['premises', 'business', 'activity'].includes(one.layer));
    bare.audit.layers = bare.audit.layers.filter((name) => !LAYERS_GONE.includes(name));
    return bare;
}

test('what is left out is as what there never was', async (t) => {
    const dir = await folder(t), [full, bare] = ['full', 'bare'].map((name) => ({ source: path.join(dir, `${name}-source`), city: path.join(dir, name) }));
    await done('synth', full.source, '--scale', '0.001', '--quiet');
    await cp(full.source, bare.source, { recursive: true });
    const read = async (file) => JSON.parse(await readFile(file, 'utf8')), said = await read(path.join(full.source, 'city.json'));
    const model = JSON.stringify({ name: 'plain', version: 1, kernel: 'quartic', bandwidth_m: 800, terms: [{ name: 'a', layer: 'hazard', filter: "status <> 'verified'", half_life_days: 30 }], denominator: { per: 'address', floor: 10 } });
    for (const one of [full, bare]) await writeFile(path.join(one.source, 'models', 'plain.json'), model);
    await writeFile(path.join(bare.source, 'city.json'), JSON.stringify(never(said)));
    for (const [layer, columns] of Object.entries(GONE)) {
        const file = path.join(bare.source, said.layers.find((l) => l.name === layer).source);
        await writeFile(file, without(await readFile(file, 'utf8'), columns));
    }
    for (const name of ['appeals', 'overall', 'rental_fire', 'small_premises']) await rm(path.join(bare.source, 'models', `${name}.json`));
    const columns = Object.fromEntries(Object.entries(GONE).map(([layer, gone]) => [layer, said.layers.find((l) => l.name === layer).columns.map((c) => c.name).filter((c) => !gone.includes(c))]));
    const roles = { rows: { layers: ['*'], without: LAYERS_GONE, columns, personal: 'rows', export: true }, counts: { layers: ['*'], without: LAYERS_GONE, columns, personal: 'counts', smallest_count: 10, export: true }, all: { layers: ['*'], personal: 'rows', export: true } };
    for (const one of [full, bare]) {
        await done('import', one.city, '--all', one.source, '--quiet');
        await writeFile(path.join(one.city, 'roles.json'), JSON.stringify({ roles }));
        // Which city it is is in ETags.
        const file = path.join(one.city, 'city.json');
        await writeFile(file, JSON.stringify({ ...await read(file), id: 7 }));
        one.tokens = Object.fromEntries(await Promise.all(Object.keys(roles).map(async (role) => [role, await token(one.city, role)])));
        one.url = (await serve(t, one.city, '--read-only')).url;
    }
    const about = Object.fromEntries(said.layers.map((l) => [l.name, l])), hazard = (await rowsOf(full.city, 'hazard')).find((row) => row.town);
    const ids = Object.fromEntries(await Promise.all(Object.keys(about).map(async (name) => [name, (await rowsOf(full.city, name))[0].id])));
    const place = { lon: Number(hazard.lon), lat: Number(hazard.lat) };
    const api = (await askAs(full.url, full.tokens.all)('/api')).json();
    const lines = Object.entries(api.paths).flatMap(([at, methods]) => Object.keys(methods).map((m) => `${m} ${at}`)).map((line) => templateOf(line, {}));
    const templates = Object.fromEntries(lines.map((line) => [line, true]));
    assert.ok(Object.keys(templates).length > 40);
    const asked = questionsOf(api, templates, { about, place, town: hazard.town, id: (name) => ids[name] }, ['premises', 'tip']).filter((q, i) => q.method === 'GET' && (q.plain || i % 4 === 0)).map((q) => q.target);
    assert.ok(asked.length > 150, asked.length);

    // By their names, in each place that takes one.
    const at = `lon=${place.lon}&lat=${place.lat}`, tile = '10/835/444', f = (text) => encodeURIComponent(text);
    const byColumn = (l, c) => [...['properties', 'sortby', c].map((p) => `/collections/${l}/items?limit=2&${p}=${p === c ? 1 : c}`), `/collections/${l}/items?limit=2&filter=${f(`${c} IS NULL`)}`, `/collections/${l}/items.csv?properties=${c}`, `/collections/${l}/items/${ids[l]}`,
        `/nearest/${l}?${at}&properties=${c}`, `/nearest/${l}?${at}&filter=${f(`${c} IS NULL`)}`, ...['by', 'sum', 'share'].map((p) => `/stats/${l}?by=town&${p}=${c}`), `/stats/${l}?by=${c}`, `/stats/${l}?by=town&share=${f(`${c} IS NULL`)}`, `/stats/${l}?filter=${f(`${c} IS NULL`)}`,
        ...['by', 'properties'].flatMap((p) => [`/tiles/${l}/${tile}.mvt?${p}=${c}`, `/tiles/${l}.json?${p}=${c}`, `/styles/${l}.json?${p}=${c}`]), ...['by', 'column'].flatMap((p) => [`/tiles/${l}/${tile}.png?${p}=${c}`, `/legend/${l}.json?${p}=${c}`, `/map.png?layers=${l}&width=64&height=64&bbox=113.7,23,113.8,23.1&${p}=${c}`]),
        `/tiles/heat:${l}/${tile}.png?weight=${c}`, `/legend/heat:${l}.json?weight=${c}`, `/value?name=heat:${l}&${at}&weight=${c}`, `/density/${l}.tif?bbox=113.7,23,113.8,23.1&weight=${c}`, `/tiles/choropleth:town/${tile}.png?layer=${l}&stat=sum&column=${c}`, `/legend/choropleth:town.json?layer=${l}&stat=sum&column=${c}`,
        ...['each', 'weight', 'per'].map((p) => `/hotspots/${l}?units=town&${p}=${c}`), `/hotspots/hazard?units=town&exposure=${l}:${c}`, `/coverage/service?people=${l}:${c}`, `/coverage/service?layer=${l}&weight=${c}`, `/coverage/service?people=address&among=${c}`, `/coverage/patrol?by=town&layer=${l}&filter=${f(`${c} IS NULL`)}`, `/coverage/partition?layer=${l}`];
    for (const [layer, column] of [['premises', 'fire_grade'], ['hazard', 'severity'], ['service_centre', 'windows'], ['business', 'name']]) asked.push(...byColumn(layer, column));
    const byLayer = (l) => [`/collections/${l}`, `/collections/${l}/queryables`, `/collections/${l}/items`, `/collections/${l}/items/${ids[l]}`, `/collections/${l}/items.csv`, `/collections/${l}/tiles`, `/nearest/${l}?${at}`, `/stats/${l}`, `/tiles/${l}/${tile}.mvt`, `/tiles/${l}.json`, `/styles/${l}.json`, `/tiles/heat:${l}/${tile}.png`, `/legend/${l}.json`, `/legend/heat:${l}.json`,
        `/map.png?layers=${l}&width=64&height=64`, `/hotspots/${l}`, `/hotspots/hazard?units=town&exposure=${l}`, `/coverage/partition?layer=${l}`, `/coverage/service?layer=${l}`, `/coverage/patrol?by=town&layer=${l}`, `/search?q=${l}`, `/search?q=a&layers=${l}`, `/density/${l}.tif?bbox=113.7,23,113.8,23.1`, `/value?name=heat:${l}&${at}`, `/changes?since=0&layers=${l}`];
    for (const layer of LAYERS_GONE) asked.push(...byLayer(layer));
    for (const name of ['appeals', 'overall', 'rental_fire', 'small_premises', 'plain'])
        asked.push(...[`/tiles/heat:${name}/${tile}.png`, `/tiles/heat:${name}.json`, `/styles/heat:${name}.json`, `/legend/heat:${name}.json`, `/value?name=heat:${name}&${at}`, `/map.png?layers=heat:${name}&width=64&height=64`, `/density/${name}.tif?bbox=113.7,23,113.8,23.1`, `/wmts/1.0.0/heat:${name}/default/WebMercatorQuad/10/444/835.png`]);
    for (const kind of ['partition', 'workload', 'patrol', 'service', 'site', 'nosuch']) asked.push(`/coverage/${kind}`, `/coverage/${kind}?by=town`, `/coverage/${kind}?by=nosuch`, `/coverage/${kind}?f=csv&by=village`, `/coverage/${kind}?rows=true`, `/coverage/${kind}?nosuch=1`);
    for (const stat of ['patrol', 'workload', 'service', 'gistar']) asked.push(`/tiles/choropleth:town/${tile}.png?layer=hazard&stat=${stat}`, `/legend/choropleth:town.json?layer=hazard&stat=${stat}&column=coverage`);
    for (const per of [...Object.keys(said.exposures), 'nosuch']) asked.push(`/stats/hazard?by=town&per=${per}`, `/hotspots/hazard?units=town&stat=eb&per=${per}`, `/tiles/heat:hazard/${tile}.png?per=${per}`, `/legend/heat:hazard.json?per=${per}`);
    const named = (await rowsOf(full.city, 'premises')).slice(0, 4).map((row) => row.name).concat((await rowsOf(full.city, 'business')).slice(0, 4).map((row) => row.name), (await rowsOf(full.city, 'activity')).slice(0, 3).map((row) => row.title));
    for (const q of [...named, '消火栓', 'D级', '高风险', '小作坊', '报料', 'hydrant', '三小场所', '东城']) asked.push(`/search?q=${f(q)}`, `/search?q=${f(q)}&${at}`);
    for (const more of ['', 'lang=en', 'lang=zh']) asked.push(`/catalog?${more}`);
    asked.push('/', '/?f=json', '/collections', '/api', '/conformance', '/wmts/1.0.0/WMTSCapabilities.xml', '/wmts?Service=WMTS&Request=GetCapabilities', `/reverse?${at}`, '/changes?since=0', '/positions', `/reach?${at}&minutes=5`, `/reach?${at}&minutes=5&mode=nosuch`, `/nearest/hazard?${at}&mode=walk&minutes=5`, '/ready', '/metrics');

    // A GeoPackage has the moment at which it was made.
    const bytes = (body) => body.toString('latin1').replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'T');
    const plain = (answer, url) => ({ status: answer.status, type: answer.headers['content-type'], body: /json|text|xml|csv/.test(answer.headers['content-type'] ?? '') ? answer.text().replaceAll(url, 'URL') : bytes(answer.body) });
    const compare = async (role, targets) => {
        const found = [];
        await each(targets, async (target) => {
            const [a, b] = await Promise.all([full, bare].map(async (one) => {
                let answer;
                // Whoever asks much waits now and then.
                while ((answer = await askAs(one.url, one.tokens[role])(target)).status === 503);
                const told = plain(answer, one.url);
                // Layers of one commit come in no order that means anything.
                if (target.startsWith('/changes') && answer.status === 200) {
                    const { layers, ...more } = JSON.parse(told.body);
                    told.body = JSON.stringify([more, Object.entries(layers ?? {}).sort(([p], [q]) => (p < q ? -1 : 1))]);
                }
                return told;
            }));
            if (JSON.stringify(a) === JSON.stringify(b)) return;
            const at = [...a.body].findIndex((c, i) => c !== b.body[i]);
            found.push([target, ...[a, b].map((one) => `${one.status} ${one.type} ${JSON.stringify(one.body.slice(Math.max(0, at - 60), at + 60))}`)]);
        }, 4);
        return found;
    };
    const all = [...new Set(asked)];
    assert.deepEqual(await compare('counts', all), []);
    // Rows of persons are another way to the same columns; and who is shown them is answered otherwise.
    const [some, listed] = [all.filter((_, i) => i % 8 === 0), ['/catalog', '/?f=json', '/wmts/1.0.0/WMTSCapabilities.xml', '/coverage/patrol?by=town', ...byColumn('hazard', 'severity'), ...byLayer('tip')]];
    assert.deepEqual(await compare('rows', some), []);
    assert.ok((await compare('all', listed)).length > listed.length / 3);
});
