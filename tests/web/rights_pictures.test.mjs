// rights_pictures.test.mjs - what pictures tell of columns that are hidden.
//
// Plan
//   two cities are alike but for the levels and residents of rental houses, which
//   have been dealt out anew; whoever does not see these is answered the same by
//   both, byte for byte, whatever picture, tile, field or choropleth is asked for
//   and with whichever parameters; but where they are told as sums and kinds
//   rates per residents are painted as for who sees these, and unknown where few
//   live; units finer than persons may be counted by are not painted
//   pixels: at each house that stands alone is the dot of its level for who sees
//   levels, the same dot for who does not, and none outside the own area
import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test, { after, before } from 'node:test';

import { each, questionsOf, VALUES } from './addresses.mjs';
import { done } from './onemap.mjs';
import { decode } from './png.mjs';
import { askAs, csv, layersOf, makeSynthetic, rowsOf, token } from './roles.mjs';
import { tileX, tileY } from './sample.mjs';
import { serve } from './server.mjs';

const hooks = [], context = { after: (hook) => hooks.push(hook) };
const LEVELS = ['level', 'level_since', 'residents'];
let city, dealt, rows, about, town, who, as, other;

before(async () => {
    const made = await makeSynthetic(context, 0.002);
    ({ city } = made);
    // Before the rows are read, as both have to be written once and alike.
    dealt = path.join(made.dir, 'dealt');
    const source = path.join(made.dir, 'anew');
    await cp(made.source, source, { recursive: true });
    const file = path.join(source, 'rental.csv'), list = csv(await readFile(file, 'utf8')), names = Object.keys(list[0]), shift = 7;
    const anew = list.map((row, i) => ({ ...row, ...Object.fromEntries(LEVELS.map((name) => [name, list[(i + shift) % list.length][name]])) }));
    assert.ok(anew.filter((row, i) => row.level !== list[i].level).length > list.length / 5);
    await writeFile(file, `${names.join(',')}\n${anew.map((row) => names.map((n) => (/[,"]/.test(row[n]) ? `"${row[n].replaceAll('"', '""')}"` : row[n])).join(',')).join('\n')}\n`);
    await done('import', dealt, '--all', source, '--quiet');
    about = Object.fromEntries((await layersOf(city)).map((l) => [l.name, l]));
    rows = await rowsOf(city, 'rental');
    const count = {};
    for (const row of rows) count[row.town] = (count[row.town] ?? 0) + 1;
    town = Object.keys(count).filter((id) => id).sort((a, b) => count[b] - count[a])[0];
    for (const at of [city, dealt]) {
        const roles = JSON.parse(await readFile(path.join(at, 'roles.json'), 'utf8'));
        roles.roles.coarse = { ...roles.roles.analyst, smallest_cell: 'village' };
        for (const role of Object.values(roles.roles)) role.rate_per_s = 0;
        await writeFile(path.join(at, 'roles.json'), JSON.stringify(roles));
    }
    const ask = async (at) => {
        const made = Object.fromEntries(await Promise.all(['wall', 'analyst', 'admin', 'coarse'].map(async (role) => [role, await token(at, role)])));
        made.officer = await token(at, 'officer', '--area', `town:${town}`);
        const { url } = await serve(context, at);
        return { url, as: Object.fromEntries(Object.entries(made).map(([role, text]) => [role, askAs(url, text)])) };
    };
    ({ as, url: who } = await ask(city));
    other = await ask(dealt);
});
after(async () => { for (const hook of hooks.reverse()) await hook(); });

/** What is told of levels and residents: how many of each kind in the city, sums
 * by unit, the map of the risk as it ships. */
const TOLD = [/^\/stats\/rental\?.*(by=(level|level_since|residents)|sum=residents)/, /heat%3Arental_fire|heat:rental_fire|heat%3Aoverall|heat:overall/, /^\/coverage\//];

test('cities that differ in what is hidden are drawn alike', async () => {
    const api = (await as.admin('/api')).json(), place = { lon: Number(rows[0].lon), lat: Number(rows[0].lat) };
    const known = Object.fromEntries(Object.entries(api.paths).filter(([at]) => !/^\/collections\/\w+\/items$/.test(at)).flatMap(([at, methods]) => Object.keys(methods).map((m) => [`${m} ${at}`, 1])));
    const questions = questionsOf(api, known, { about, place, town, id: () => rows[0].id }, ['rental', 'rental'])
        .filter((q) => q.method === 'GET' && !/metrics|\/(coverage|hotspots)\//.test(q.template)).map((q) => q.target);
    // Choropleths and fields of them, deep and high, with all that may be said.
    const params = api.paths['/tiles/{name}/{z}/{x}/{y}.{extension}'].get.parameters.filter((p) => p.in !== 'path').map((p) => p.name ?? p.$ref.split('/').at(-1));
    const values = { ...VALUES, filter: ["level = 'strict'", 'residents > 5', "id <> 'x'", `id = '${rows[0].id}'`], datetime: ['2023-06'], at: ['2023-06-01T00:00:00+08:00'], kernel: ['gaussian'], bandwidth: ['300', '3000'], halflife: ['30'],
        weight: ['residents', 'level'], per: ['house', 'resident', 'visit', 'area'], palette: ['light'], properties: ['level', 'id', 'residents'], labels: ['no'], by: ['level', 'residents', 'town', 'model_house'],
        stat: ['count', 'sum', 'rate', 'gistar', 'patrol'], layer: ['rental'], column: ['residents', 'level', 'coverage'], size: ['512'], 'filter-lang': ['cql2-text'], lang: ['en'], v: ['1'] };
    const asked = params.flatMap((name) => values[name].map((value) => [name, value]));
    for (const name of ['rental', 'heat:rental', 'choropleth:town', 'choropleth:grid', 'heat:address', 'heat:hazard', 'grid'])
        for (const z of [8, 14]) {
            const base = name.startsWith('choropleth') ? { layer: 'rental' } : {}, at = `/tiles/${name}/${z}/${tileX(place.lon, z)}/${tileY(place.lat, z)}`;
            const all = [{}, ...asked.map(([k, v]) => ({ ...base, [k]: v })), { ...base, stat: 'sum', column: 'residents' }, { ...base, stat: 'rate', per: 'house' }, { ...base, stat: 'rate', column: 'residents' }, { ...base, stat: 'rate', per: 'resident' }];
            for (const one of all) for (const end of ['.png', ...(z === 14 ? ['@2x.png', '.mvt'] : [])]) questions.push(`${at}${end}${Object.keys(one).length ? `?${new URLSearchParams(one)}` : ''}`);
        }
    questions.push('/stats/rental?by=town&sum=residents', '/stats/rental?by=residents', '/coverage/workload?by=town', `/tiles/heat:rental_fire/12/${tileX(place.lon, 12)}/${tileY(place.lat, 12)}.png`);
    const differ = [], statuses = {};
    let told = 0, same = 0;
    // The wall sees the same of it, and less.
    for (const role of ['analyst'])
        await each([...new Set(questions)], async (target) => {
            const one = await as[role](target), two = await other.as[role](target);
            // Some say when they were written.
            const text = (answer, url) => answer.body.toString('latin1').replaceAll(url, '').replace(/"timeStamp":"[^"]*"/, '').replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '');
            statuses[one.status] = (statuses[one.status] ?? 0) + 1;
            if (one.status === 429 || two.status === 429) return;
            if (one.status === two.status && text(one, who) === text(two, other.url)) same++;
            else if (TOLD.some((of) => of.test(target))) told++;
            else differ.push(`${role} ${target}: ${one.status} ${two.status}`);
        });
    assert.deepEqual(differ, []);
    assert.ok(told >= 1 && same > 800, `${told} ${same} ${JSON.stringify(statuses)}`);
    // The officer of the town and admin see them.
    for (const role of ['officer', 'admin']) {
        const target = `/tiles/rental/14/${tileX(place.lon, 14)}/${tileY(place.lat, 14)}.png`;
        if (role === 'admin') assert.ok(!(await as[role](target)).body.equals((await other.as[role](target)).body));
    }
});

test('rates per residents, as far as many live', async () => {
    const tile = (role, level, more) => as[role](`/tiles/choropleth:${level}/8/${tileX(Number(rows[0].lon), 8)}/${tileY(Number(rows[0].lat), 8)}.png?${more}`);
    const lives = (await as.analyst('/stats/hazard?by=town&per=resident')).json().groups.filter((g) => g.id);
    assert.ok(lives.every((g) => !g.exposure_hidden));
    const [seen, told] = [await tile('admin', 'town', 'layer=hazard&per=resident'), await tile('analyst', 'town', 'layer=hazard&per=resident')];
    assert.equal(told.status, 200, told.text().slice(0, 200));
    assert.ok(told.body.equals(seen.body));
    // Where few live it is another picture: those units are unknown.
    const few = (await as.analyst('/stats/hazard?by=grid&per=resident')).json().groups.filter((g) => g.exposure_hidden);
    assert.ok(few.length > 0);
    const [fine, hidden] = [await tile('admin', 'grid', 'layer=hazard&per=resident'), await tile('analyst', 'grid', 'layer=hazard&per=resident')];
    assert.ok(hidden.status === 200 && !hidden.body.equals(fine.body));
    for (const [level, status] of [['grid', 404], ['village', 200], ['town', 200]])
        for (const more of ['layer=visit', 'layer=hazard&per=resident', 'layer=hazard&per=visit']) {
            assert.equal((await tile('coarse', level, more)).status, status, `${level} ${more}`);
            assert.equal((await tile('analyst', level, more)).status, 200, `${level} ${more}`);
        }
    // Of others the names of hidden columns are not said.
    for (const target of ['/hotspots/hazard?per=resident', '/tiles/choropleth:town/8/208/111.png?layer=hazard&stat=gistar&per=resident'])
        for (const role of ['wall', 'analyst']) {
            const answer = await as[role](target);
            assert.ok([400, 404].includes(answer.status), target);
            assert.doesNotMatch(answer.text(), /residents/);
        }
});

test('each dot is that of its row', async () => {
    const z = 15, colours = {}, seen = {};
    const at = (row) => { const n = 256 * 2 ** z, lon = Number(row.lon), lat = Number(row.lat); return [Math.floor((lon + 180) / 360 * n), Math.floor((1 - Math.asinh(Math.tan(lat * Math.PI / 180)) / Math.PI) / 2 * n)]; };
    const alone = rows.filter((row) => {
        const [x, y] = at(row);
        return x % 256 > 24 && x % 256 < 232 && y % 256 > 24 && y % 256 < 232 && !rows.some((r) => r !== row && Math.abs(at(r)[0] - x) < 24 && Math.abs(at(r)[1] - y) < 24);
    });
    const some = [...alone.filter((r) => r.town === town).slice(0, 20), ...alone.filter((r) => r.town !== town).slice(0, 40)];
    assert.ok(some.length > 30 && new Set(some.map((r) => r.level)).size > 2, `${some.length}`);
    for (const [role, form] of [['admin', 'tiles'], ['officer', 'tiles'], ['wall', 'tiles'], ['analyst', 'wmts'], ['admin', 'wmts']]) {
        const found = seen[`${role} ${form}`] = [];
        for (const row of some) {
            const [x, y] = at(row), [tx, ty] = [x >> 8, y >> 8];
            const answer = await as[role](form === 'tiles' ? `/tiles/rental/${z}/${tx}/${ty}.png` : `/collections/rental/map/tiles/WebMercatorQuad/${z}/${ty}/${tx}`);
            assert.equal(answer.status, 200, role);
            const { rgba } = decode(answer.body);
            found.push([...rgba.subarray(((y & 255) * 256 + (x & 255)) * 4, ((y & 255) * 256 + (x & 255)) * 4 + 4)].join());
        }
    }
    some.forEach((row, i) => {
        // Who sees levels: one colour for each.
        (colours[row.level] ??= new Set()).add(seen['admin tiles'][i]);
        assert.equal(seen['admin wmts'][i], seen['admin tiles'][i]);
        if (row.town === town) assert.equal(seen['officer tiles'][i], seen['admin tiles'][i]);
        else assert.match(seen['officer tiles'][i], /,0$/, `${row.id} is not the officer's`);
    });
    for (const [level, set] of Object.entries(colours)) assert.equal(set.size, 1, `${level}: ${[...set]}`);
    assert.equal(new Set(Object.values(colours).map((set) => [...set][0])).size, Object.keys(colours).length);
    for (const role of ['wall tiles', 'analyst wmts']) {
        assert.equal(new Set(seen[role]).size, 1, `${role}: ${[...new Set(seen[role])]}`);
        assert.doesNotMatch(seen[role][0], /,0$/);
    }
});
