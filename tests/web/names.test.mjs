// What units, values and sources are called, in Chinese and English.
//
// Plan
//   units: in Chinese the names of the rows; in English letters only, each of
//   its own within what it lies in; the towns by their known names; who has an
//   area is told of its units only; unasked none
//   values: every value of every category has words in both languages, put
//   together where it is of parts; what is not known stays as it is
//   legends of pictures say them as lists do, as data and drawn, in both languages
//   a role is told no words of columns that are nothing to it
//   a city without terms has no English names, and says what is wrong with them
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { Names } from '../../web/pages/names.js';
import { makeSynthetic, token } from './roles.mjs';
import { serve } from './server.mjs';

const ENGLISH = /^[A-Z0-9][A-Za-z0-9' ]*$/, CHINESE = /^[\u4e00-\u9fff0-9A-Z()]+$/;

test('what units, values and sources are called', async (t) => {
    const { city } = await makeSynthetic(t, 0.001), own = '441900121';
    const tokens = { admin: await token(city, 'admin'), analyst: await token(city, 'analyst'), officer: await token(city, 'officer', '--area', `town:${own}`) };
    const { url } = await serve(t, city);
    const ask = async (target, role = 'admin') => (await fetch(url + target, { headers: { Authorization: `Bearer ${tokens[role]}` } })).json();
    const [plain, zh, en] = await Promise.all(['/catalog', '/catalog?lang=zh', '/catalog?lang=en'].map((target) => ask(target)));

    await t.test('units', async () => {
        assert.equal(plain.names, undefined);
        for (const level of ['grid', 'village', 'town']) {
            const { features } = await ask(`/collections/${level}/items?limit=1000`), of = (names) => Object.entries(names[level]).sort();
            assert.deepEqual(of(zh.names), features.map((f) => [String(f.id), f.properties.name]).sort());
            assert.deepEqual(of(en.names).map(([id]) => id), of(zh.names).map(([id]) => id));
            assert.deepEqual(of(en.names).filter(([, name]) => !ENGLISH.test(name)), [], level);
        }
        const { town, grid } = en.names;
        for (const [id, name] of [['441900003', 'Dongcheng'], ['441900119', "Chang'an"], ['441900121', 'Humen'], ['441900126', 'Machong'], ['441900401', 'Songshan Lake']]) assert.equal(town[id], name);
        assert.equal(new Set(Object.values(town)).size, 33);
        // Places are Chang, not Zhang.
        for (const [id, name] of Object.entries(zh.names.village)) if (name.startsWith('长')) assert.match(en.names.village[id], /^Chang/);
        for (const [id, name] of Object.entries(grid)) assert.equal(/ Grid (\d+)$/.exec(name)?.[1], /第(\d+)网格$/.exec(zh.names.grid[id])[1]);
        const { names } = await ask('/catalog?lang=en', 'officer');
        assert.deepEqual(Object.keys(names.town), [own]);
        const there = Object.keys(grid).filter((id) => id.startsWith(own));
        assert.ok(there.length);
        assert.deepEqual(Object.keys(names.grid).sort(), there.sort());
    });

    await t.test('values', async () => {
        const names = { zh: new Names('zh-CN', zh), en: new Names('en', en) }, bad = [];
        let values = 0;
        for (const { name: layer } of plain.layers) {
            const { properties } = await ask(`/collections/${layer}/queryables`), { columns } = JSON.parse(await readFile(path.join(city, 'city.json'), 'utf8')).layers.find((l) => l.name === layer);
            for (const { name: column, type } of columns) {
                if (!properties[column] || type !== 'category' || /^(worker|duty_grid|month)$/.test(column)) continue;
                const { groups = [] } = await ask(`/stats/${layer}?by=${column}`);
                for (const { id } of groups.filter((g) => g.id !== null && g.id !== '')) {
                    values++;
                    if (!CHINESE.test(names.zh.value(layer, column, id))) bad.push(`${layer}.${column}: ${id}, in Chinese ${names.zh.value(layer, column, id)}`);
                    if (/[^ -~]/.test(names.en.value(layer, column, id))) bad.push(`${layer}.${column}: ${id}, in English ${names.en.value(layer, column, id)}`);
                }
            }
            assert.match(names.en.department(en.layers.find((l) => l.name === layer)), /^[A-Z][a-z ]+$/, layer);
            assert.match(names.zh.department(zh.layers.find((l) => l.name === layer)), CHINESE, layer);
        }
        assert.deepEqual(bad, []);
        assert.ok(values > 400, `${values} values`);
        assert.equal(names.en.value('hazard', 'item', '灭火器过期'), 'Fire extinguisher expired');
        assert.equal(names.en.value('hazard', 'handler', '虎门镇消防救援'), 'Humen Fire and rescue');
        assert.equal(names.zh.value('rental', 'level', 'lenient'), '宽管型');
        assert.equal(names.en.value('hazard', 'item', '灭火器不见了'), '灭火器不见了');
        assert.equal(names.en.value('hazard', 'village', Object.keys(en.names.village)[0]), Object.values(en.names.village)[0]);
        assert.equal(names.en.unit('town', null, '虎门镇'), 'Humen');
        assert.equal(names.en.unit('town', 'X1', '新镇'), '新镇');
        assert.equal(names.en.unit('town', null, null), '');
        assert.equal(en.title_en, 'Dongguan (synthetic)');
        assert.deepEqual(en.awaited.map((a) => names.en.department(a)), ['Public security', 'Fire and rescue', 'Market supervision']);
    });

    await t.test('legends', async () => {
        const names = { zh: new Names('zh-CN', zh), en: new Names('en', en) }, wrong = [], picture = async (target) => {
            const answer = await fetch(url + target, { headers: { Authorization: `Bearer ${tokens.admin}` } });
            assert.equal(answer.headers.get('content-type'), 'image/png', target);
            return Buffer.from(await answer.arrayBuffer()).toString('base64');
        };
        let columns = 0;
        for (const { name: layer, value_titles: titles = {}, unit_level: level } of plain.layers)
            for (const column of level ? [] : Object.keys(titles)) {
                const { groups = [] } = await ask(`/stats/${layer}?by=${column}`), there = groups.filter((g) => g.id !== null && g.id !== '').map((g) => g.id);
                if (!there.length) continue;
                columns++;
                for (const [lang, of] of Object.entries(names)) {
                    const { items } = await ask(`/legend/${layer}.json?by=${column}&lang=${lang}`), said = items.map((i) => i.text), known = new Set(there.map((id) => of.value(layer, column, id)));
                    // Steps of numbers have no words.
                    if (said.some((text) => text.startsWith('≥'))) continue;
                    const others = said.filter((text) => !known.has(text));
                    if (others.length > 1 || (others.length && !['其他', 'other'].includes(others[0]))) wrong.push(`${layer}.${column} ${lang}: ${others}`);
                    if (!others.length && said.length < known.size) wrong.push(`${layer}.${column} ${lang}: ${said.length} of ${known.size}`);
                }
            }
        assert.deepEqual(wrong, []);
        assert.ok(columns > 10, `${columns} columns`);
        for (const target of ['/legend/hazard.png?by=status', '/legend/premises.png?by=kind', '/map.png?layers=hazard&by=status&width=700&height=500'])
            assert.notEqual(await picture(`${target}&lang=zh`), await picture(`${target}&lang=en`), target);
        const { items } = await ask('/legend/hazard.json?by=status&lang=zh');
        assert.ok(items.some((i) => i.text === names.zh.value('hazard', 'status', 'reported')), items.map((i) => i.text).join());
        // A value that names a layer is called so to who sees it, and to nobody else.
        const targets = await ask('/legend/hazard.json?by=target_layer&lang=zh'), unseen = await ask('/legend/hazard.json?by=target_layer&lang=zh', 'analyst'), seen = new Set((await ask('/collections', 'analyst')).collections.map((c) => c.id));
        for (const [id, title] of Object.entries(zh.layers.find((l) => l.name === 'hazard').value_titles.target_layer)) {
            assert.ok(targets.items.some((i) => i.text === title) || !targets.items.some((i) => i.text === id), id);
            assert.equal(unseen.items.some((i) => i.text === title), seen.has(id) && targets.items.some((i) => i.text === title), `${id} to an analyst`);
        }
    });

    await t.test('no words of what is nothing to a role', async () => {
        const file = path.join(city, 'city.json'), manifest = JSON.parse(await readFile(file, 'utf8'));
        manifest.layers.find((l) => l.name === 'hazard').value_titles.worker = { G1: '某某' };
        await writeFile(file, JSON.stringify(manifest));
        const { url: now } = await serve(t, city, '--read-only'), of = async (role) => (await (await fetch(`${now}/catalog`, { headers: { Authorization: `Bearer ${tokens[role]}` } })).json()).layers.find((l) => l.name === 'hazard').value_titles;
        assert.ok((await of('admin')).worker);
        const told = await of('analyst');
        assert.equal(told.worker, undefined);
        assert.deepEqual(Object.keys(told).sort(), ['severity', 'status', 'target_layer']);
    });

    await t.test('a city without terms', async () => {
        const file = path.join(city, 'city.json'), manifest = JSON.parse(await readFile(file, 'utf8'));
        delete manifest.english;
        for (const layer of manifest.layers) delete layer.value_titles_en;
        await writeFile(file, JSON.stringify(manifest));
        const bare = await serve(t, city, '--read-only'), as = (server, target) => fetch(server.url + target, { headers: { Authorization: `Bearer ${tokens.admin}` } });
        assert.deepEqual((await (await as(bare, '/catalog?lang=en')).json()).names, { grid: {}, village: {}, town: {} });
        await writeFile(file, JSON.stringify({ ...manifest, english: ['Town'] }));
        const wrong = await serve(t, city, '--read-only'), answer = await as(wrong, '/catalog?lang=en');
        assert.equal(answer.status, 500);
        assert.equal((await as(wrong, '/catalog')).status, 200);
    });
});
