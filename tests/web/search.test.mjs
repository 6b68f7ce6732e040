// Search: names and addresses by what somebody types, and what is at a place.
//
// Plan
//   addresses mistyped at random: no address of the city is nearer to what was
//   typed than the one that is answered, by an edit distance of our own
//   a road that begins like the name of a town, of each town
//   units, and centres, by the path of names above them, each way of typing;
//   mistyped, none is nearer than the one that is answered; by first letters,
//   the one that is answered has them
//   whole names: every row of that name, and no other before them
//   nonsense: nothing, or not sure
//   box, place, layers, limit; the verb says what the server says
//   the box of the start page: typed, chosen, Enter before the answer
//   what is written is found, what is removed is not, at once and after a start
//   layers of persons are in no answer to others
//   indexes: made when missing, damaged or of other rows; none where nobody may
//   hostile questions
//   /reverse: as going through all addresses; units as the rows have them, and as
//   their shapes say at any place, on borders, outside; workers of the grid
import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';

import { launch, skip } from './chromium.mjs';
import { done, folder, onemap, random } from './onemap.mjs';
import { get } from './sample.mjs';
import { serve, statusOf } from './server.mjs';

const TOKEN = 'a-token-of-those-in-charge';
const auth = { headers: { authorization: `Bearer ${TOKEN}` } };

async function table(dir, name) {
    const [head, ...lines] = (await readFile(path.join(dir, `${name}.csv`), 'utf8')).trim().split('\n');
    const keys = head.replace('\ufeff', '').split(',');
    return lines.map((line) => Object.fromEntries(line.split(',').map((value, i) => [keys[i], value])));
}

async function makeCity(t) {
    const dir = await folder(t), source = path.join(dir, 'source'), city = path.join(dir, 'city');
    await done('synth', source, '--scale', '0.002', '--quiet');
    await done('import', city, '--all', source, '--quiet');
    const list = {};
    for (const name of ['address', 'business', 'premises', 'worker']) list[name] = await table(source, name);
    return { dir, source, city, ...list };
}

/** Fewest characters to change, add or leave out to make `typed` of a part of
 *  `text`, or of all of it; two that are swapped are one change. */
function distance(typed, text, whole = false) {
    let before = null, row = Array.from({ length: text.length + 1 }, (_, j) => whole ? j : 0);
    for (let i = 1; i <= typed.length; i++) {
        const next = [i];
        for (let j = 1; j <= text.length; j++) {
            let d = Math.min(row[j - 1] + (typed[i - 1] === text[j - 1] ? 0 : 1), row[j] + 1, next[j - 1] + 1);
            if (i > 1 && j > 1 && typed[i - 1] === text[j - 2] && typed[i - 2] === text[j - 1]) d = Math.min(d, before[j - 2] + 1);
            next.push(d);
        }
        before = row;
        row = next;
    }
    return whole ? row.at(-1) : Math.min(...row);
}

const isName = (c) => /\p{Script=Han}/u.test(c) && !'一二三四五六七八九十百零号'.includes(c);

/** First letters of characters that many names of units are made of. */
const LETTER = new Map('上s下x东d西x南n北b新x旧j大d小x白b黄h赤c清q石s沙s金j水s龙l凤f牛n梅m莲l竹z松s桥q横h平p古g官g福f双s温w边b村c社s区q溪x坑k岗g塘t湖h围w田t基j角j头t尾w寮l屋w潭t滩t洲z井j坊f门m朗l岭l浦p排p河h口k山s虎h洪h镇z莞g市s街j道d城c望w墩d沥l常c万w江j木m道d步b茂m茶c企q堂t中z厦x岗g谢x厚h鹤h第d网w格g党d群q服f务w心x'.match(/../gu).map((pair) => [pair[0], pair[1]]));
const lettersOf = (text) => [...text].every((c) => LETTER.has(c) || /\d/.test(c)) ? [...text].map((c) => LETTER.get(c) ?? c).join('') : null;

/** One character of a name changed, left out, or swapped with the next. */
function mistype(text, next) {
    const places = [...text].flatMap((c, i) => isName(c) && isName(text[i + 1] ?? '') ? [i] : []);
    const i = places[Math.floor(next() * places.length)], way = Math.floor(next() * 3);
    const tail = text.slice(i + 1);
    if (way === 0) return text.slice(0, i) + '岩' + tail;
    if (way === 1) return text.slice(0, i) + tail;
    return text.slice(0, i) + tail[0] + text[i] + tail.slice(1);
}

function metres(a, b) {
    const rad = Math.PI / 180, dy = (b.lat - a.lat) * rad, dx = (b.lon - a.lon) * rad;
    const h = Math.sin(dy / 2) ** 2 + Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * Math.sin(dx / 2) ** 2;
    return 2 * 6371000 * Math.asin(Math.sqrt(h));
}

test('search', async (t) => {
    const made = await makeCity(t), { city, address, business, premises } = made;
    const server = await serve(t, city);
    const ask = async (q, more = '', options = undefined) => {
        const { status, headers, json } = await get(`${server.url}/search?q=${encodeURIComponent(q)}${more}`, options);
        assert.equal(status, 200, q);
        assert.ok(headers['data-sequence']);
        assert.equal(json().incomplete, undefined);
        return json().results;
    };

    await t.test('no address is nearer to what was typed', async () => {
        const next = random(11), seen = new Map(address.map((a) => [a.id, a]));
        let right = 0;
        const times = 60;
        for (let i = 0; i < times; i++) {
            const row = address[Math.floor(next() * address.length)], typed = mistype(row.text, next);
            const [first] = await ask(typed);
            assert.ok(first, typed);
            right += first.building === row.building;
            if (first.building === row.building) continue;
            const text = first.layer === 'address' ? seen.get(first.id).text : first.name;
            assert.ok(distance(typed, text) <= distance(typed, row.text), `${typed}: ${text}`);
        }
        assert.ok(right >= 0.95 * times, `${right} of ${times}`);
    });

    await t.test('addresses without their room are buildings', async () => {
        const next = random(5);
        for (let i = 0; i < 20; i++) {
            const row = address[Math.floor(next() * address.length)], house = row.text.slice(0, row.text.indexOf('号') + 1);
            const all = address.filter((a) => a.text.startsWith(house));
            const results = await ask(house);
            assert.ok(all.some((a) => a.building === results[0].building), house);
            if (all.length < 2 || !all.every((a) => a.building === row.building)) continue;
            assert.equal(results[0].kind, 'building');
            assert.equal(results[0].id, row.building);
            assert.ok(row.text.startsWith(results[0].name), results[0].name);
            assert.equal(results.filter((r) => r.building === row.building).length, 1);
        }
    });

    await t.test('other spellings', async () => {
        const row = address.find((a) => /^[^0-9]+\d+号\d+房$/.test(a.text) && /[一二三四五六七八九]巷/.test(a.text));
        const wide = row.text.replace(/\d/g, (d) => String.fromCodePoint(0xff10 + Number(d)));
        const han = row.text.replace(/\d+/g, (d) => [...d].map((c) => '〇一二三四五六七八九'[c]).join(''));
        const spaced = [...row.text].join(' ').replace(/(\d) (?=\d)/g, '$1');
        for (const typed of [row.text, wide, han, spaced, row.text.replace('东莞市', '東莞市')]) {
            const [first] = await ask(typed);
            assert.equal(first.id, row.id, typed);
            assert.equal(first.matched, 'exact', typed);
            assert.equal(first.score, 1);
        }
    });

    await t.test('pinyin and initials', async () => {
        for (const [typed, want] of [['humen', '虎门镇'], ['hu men zhen', '虎门镇'], ['HUMENZHEN', '虎门镇'], ['zhangmutou', '樟木头镇'], ['zmtz', '樟木头镇'], ['songshanhu', '松山湖']]) {
            const [first] = await ask(typed);
            assert.equal(first.name, want, typed);
            assert.equal(first.kind, 'town');
        }
    });

    await t.test('whole names', async () => {
        for (const name of new Set([...business.slice(0, 15), ...premises.slice(0, 15)].map((b) => b.name))) {
            const all = [...business, ...premises].filter((b) => b.name === name), results = await ask(name, '&limit=100');
            const exact = results.filter((r) => r.matched === 'exact');
            assert.deepEqual(exact.map((r) => r.id).sort(), all.map((b) => b.id).sort(), name);
            assert.deepEqual(results.slice(0, exact.length), exact);
        }
    });

    await t.test('a unit beside a name', async () => {
        const row = business[3];
        const [found] = (await ask(row.id)).filter((r) => r.id === row.id);
        assert.equal(found.matched, 'id');
        const results = await ask(`${found.village.name}${row.name}`);
        assert.equal(results[0].name, row.name);
        assert.equal(results[0].village.id, found.village.id);
        assert.ok(results[0].text.startsWith(found.town.name) && results[0].text.endsWith(row.name), results[0].text);
    });

    await t.test('units behind the names of those above', async () => {
        const units = {};
        for (const name of ['town', 'village', 'grid', 'service_centre']) {
            const { features } = JSON.parse(await done('query', city, name, '--limit', '10000'));
            units[name] = features.map(({ id, properties }) => ({ id, ...properties }));
        }
        const named = new Map([...units.town, ...units.village].map((unit) => [unit.id, unit.name]));
        const short = (name) => name.replace(/(街道|社区|镇|村)$/, '');
        const wide = (text) => text.replace(/\d/g, (d) => String.fromCodePoint(0xff10 + Number(d)));
        const some = (list, most) => list.filter((_, i) => i % Math.ceil(list.length / most) === 0);
        for (const [layer, list] of [['town', units.town], ['village', units.village], ['grid', some(units.grid, 60)], ['service_centre', some(units.service_centre, 60)]]) {
            const right = {}, times = list.length;
            for (const unit of list) {
                const town = named.get(unit.town) ?? '', path = town + unit.name;
                const ways = { path, city: `东莞市${path}`, province: wide(`广东省东莞市${path}`), short: `东莞${short(town)}${short(unit.name)}` };
                for (const [way, typed] of Object.entries(ways)) {
                    const [first] = await ask(typed, '&limit=1');
                    right[way] = (right[way] ?? 0) + (first?.layer === layer && (first.id === unit.id || first.text === path));
                }
            }
            for (const [way, count] of Object.entries(right)) assert.ok(count >= 0.95 * times, `${layer}, ${way}: ${count} of ${times}`);
        }
        for (const [typed, want] of [['dongguanshihumenzhen', '虎门镇'], ['guangdong sheng dong guan shi hu men zhen', '虎门镇'], ['东莞市胡门镇', '虎门镇'], ['东莞市虎门真', '虎门镇']]) {
            const [first] = await ask(typed);
            assert.equal(first.name, want, typed);
            assert.equal(first.layer, 'town', typed);
        }
        const next = random(23), layers = { town: 0, village: 0, grid: 0, service_centre: 0 };
        for (const layer of Object.keys(layers)) {
            const list = some(units[layer], 40), paths = units[layer].map((unit) => `东莞市${named.get(unit.town) ?? ''}${unit.name}`);
            let letters = 0;
            for (const unit of list) {
                const path = `东莞市${named.get(unit.town) ?? ''}${unit.name}`, typed = mistype(path, next);
                const [first] = await ask(typed, '&limit=1');
                layers[layer] += first?.id === unit.id || `东莞市${first?.text}` === path ? 1 / list.length : 0;
                if (first?.layer === layer && first.id !== unit.id) {
                    assert.ok(paths.includes(`东莞市${first.text}`), first.text);
                    assert.ok(distance(typed, `东莞市${first.text}`, true) <= distance(typed, path, true) + 1, `${typed}: ${first.text}`);
                }
                const initials = lettersOf(path);
                if (!initials) continue;
                const [lettered] = await ask(initials, '&limit=1'), theirs = lettered && lettersOf(`东莞市${lettered.text}`);
                assert.ok(lettered?.matched === 'initials', initials);
                if (!theirs) continue;
                assert.equal(theirs, initials, `${path}: ${lettered.text}`);
                letters++;
            }
            assert.ok(layers[layer] >= 0.9, `${layer} mistyped: ${layers[layer]}`);
            assert.ok(letters >= list.length / 6, `${layer}: ${letters} of ${list.length} by letters`);
        }
        // Nothing is an answer that shares with the question only where it lies.
        assert.ok((await ask('东莞')).every((r) => r.name.includes('东莞')));
    });

    await t.test('names of towns with one fault, and their first letters', async () => {
        const { features } = JSON.parse(await done('query', city, 'town', '--limit', '100'));
        const names = features.map(({ properties }) => properties.name);
        assert.equal(names.length, 33);
        const odd = (name, i, c) => name.slice(0, i) + c + name.slice(i + (c === '' ? 1 : c.length));
        for (const name of names) {
            const places = [...name].keys(), typed = new Set();
            for (const i of places) {
                for (const c of '上由口三岩') typed.add(odd(name, i, c));
                if (name.length > 3) typed.add(odd(name, i, ''));
                typed.add(`${name.slice(0, i)}岩${name.slice(i)}`);
                if (i > 0) typed.add(name.slice(0, i - 1) + name[i] + name[i - 1] + name.slice(i + 1));
            }
            for (const q of typed) {
                const results = await ask(q), at = results.findIndex((r) => r.name === name);
                assert.ok(at >= 0, `${q}: ${results[0]?.name}`);
                for (const r of results.slice(0, at)) assert.ok(r.matched === 'exact' || distance(q, r.name, true) <= 1 || distance(q, r.name.replace(/(街道|社区|镇|村)$/, ''), true) <= 1, `${q}: ${r.name}`);
            }
            const initials = lettersOf(name.replace(/(街道|镇)$/, ''));
            if (initials) assert.ok((await ask(initials, '&layers=town')).some((r) => r.name === name), initials);
        }
        for (const [q, name] of [['humn', '虎门镇'], ['hunen', '虎门镇'], ['hmen', '虎门镇'], ['humenzheng', '虎门镇'], ['hunen town', '虎门镇'], ['songsanhu', '松山湖'], ['cangan', '长安镇'], ['东莞市茶上镇', '茶山镇'], ['hm', '虎门镇'], ['ca', '长安镇'], ['cp', '常平镇']])
            assert.ok((await ask(q, '&limit=3&layers=town')).some((r) => r.name === name), q);
        // First letters are those of characters side by side.
        for (const letters of ['zzzz', 'ssss', 'zfzf', 'xxxxx'])
            for (const r of await ask(letters, '&limit=100')) {
                const theirs = lettersOf(r.text);
                assert.ok(!theirs || theirs.includes(letters) || r.score < 0.85, `${letters}: ${r.text} ${r.score}`);
            }
        // What is typed as it is called has none beside it that is called otherwise.
        assert.ok((await ask('humen', '&limit=100')).every((r) => r.town?.name === '虎门镇' || r.matched !== 'typo'));
    });

    await t.test('the town that is typed is kept', async () => {
        const { features } = JSON.parse(await done('query', city, 'town', '--limit', '100'));
        const towns = features.map(({ id, properties }) => ({ id, name: properties.name })), next = random(31);
        let elsewhere = 0;
        for (const { id, name } of towns) {
            const stem = name.replace(/(街道|镇)$/, '');
            const others = address.filter((a) => !a.text.includes(stem) && /(街道|镇|松山湖)[^0-9]*(村|社区)[^0-9]+\d+号/.test(a.text));
            const row = others[Math.floor(next() * others.length)];
            const [, road, number] = row.text.match(/(?:村|社区)([^0-9村区]+)(\d+号)/);
            for (const typed of [`${name}${road}${number}`, `${stem}${road}${number}`, `${name}岩岩路5号`]) {
                const results = await ask(typed, '&limit=100');
                assert.equal(results[0]?.town?.id, id, `${typed}: ${results[0]?.text}`);
                const away = results.map((r) => r.town?.id !== id && !r.name.includes(stem));
                if (!away.includes(true)) continue;
                elsewhere++;
                assert.ok(away.slice(away.indexOf(true)).every((is) => is), typed);
                assert.ok(results.some((r) => r.id === id), typed);
            }
        }
        assert.ok(elsewhere > 0);
        for (const [typed, want] of [['dongkeng school', '东坑镇'], ['humen town', '虎门镇'], ['service centre humen', '虎门镇'], ['凤岗人民路5号', '凤岗镇']]) {
            const results = await ask(typed, '&limit=100');
            assert.equal(results[0]?.town?.name, want, typed);
            if (/[a-z]/.test(typed)) assert.ok(results.some((r) => r.name === want), typed);
        }
    });

    await t.test('what is nothing here is answered with nothing, or unsurely', async () => {
        const next = random(17), letters = () => Array.from({ length: 4 + Math.floor(next() * 7) }, () => String.fromCharCode(97 + Math.floor(next() * 26))).join('');
        const answer = async (q) => (await get(`${server.url}/search?q=${encodeURIComponent(q)}`)).json();
        for (const q of ['zzzz', 'asdfgh', '天安门', '上海市南京路', 'Eiffel Tower', 'qqqqqqqq']) assert.deepEqual(await answer(q), { results: [], sure: false }, q);
        let sure = 0;
        for (let i = 0; i < 60; i++) sure += (await answer(letters())).sure;
        assert.ok(sure <= 2, `${sure}`);
        for (let i = 0; i < 20; i++) assert.equal((await answer(address[i * 37].text)).sure, true);
        // First letters that several names have are of none for sure.
        const { results, sure: certain } = await answer('wlyg');
        assert.ok(results.length < 2 || results[0].matched !== 'initials' || !certain || results[0].name !== results[1].name && results[1].score < results[0].score);
    });

    await t.test('box, place, layers, limit', async () => {
        const row = address[777], { lon, lat } = { lon: Number(row.lon), lat: Number(row.lat) };
        const name = '便利店', box = [lon - 0.05, lat - 0.05, lon + 0.05, lat + 0.05];
        const inside = await ask(name, `&bbox=${box}&limit=100`);
        assert.ok(inside.length > 0);
        for (const r of inside) assert.ok(r.lon >= box[0] && r.lon <= box[2] && r.lat >= box[1] && r.lat <= box[3]);
        const shop = premises.find((p) => premises.filter((o) => o.name === p.name).length > 1);
        const near = (await ask(shop.name, `&lon=${lon}&lat=${lat}&limit=100&layers=premises`)).filter((r) => r.name === shop.name);
        const all = premises.filter((p) => p.name === shop.name).map((p) => metres({ lon, lat }, { lon: Number(p.lon), lat: Number(p.lat) })).sort((a, b) => a - b);
        near.forEach((r, i) => assert.ok(Math.abs(metres({ lon, lat }, r) - all[i]) < 1));
        assert.equal(near.length, all.length);
        assert.ok((await ask('社区', '&layers=village,grid')).every((r) => ['village', 'grid'].includes(r.layer)));
        assert.equal((await ask(name, '&limit=3')).length, 3);
        for (const bad of ['limit=0', 'limit=101', 'limit=x', 'layers=nothing', 'lon=113', 'lon=113&lat=x', 'bbox=1,2,3', 'nothing=1'])
            assert.equal((await get(`${server.url}/search?q=a&${bad}`)).status, 400, bad);
    });

    await t.test('the verb says the same', async () => {
        for (const q of [address[10].text, '健身', 'humen']) {
            const { results } = JSON.parse(await done('search', city, q, '--limit', '7'));
            assert.deepEqual(results, await ask(q, '&limit=7'));
        }
        const csv = (await done('search', city, address[10].text, '--format', 'csv', '--limit', '1')).trim().split('\n');
        assert.equal(csv[0], 'kind,layer,id,text,lon,lat,grid,village,town,score,matched');
        assert.ok(csv[1].startsWith(`address,address,${address[10].id},${address[10].text},`));
        assert.equal((await onemap('search', city)).status, 2);
        assert.equal((await onemap('search', city, 'a', '--limit', '0')).status, 2);
        assert.equal((await onemap('search', path.join(city, 'none'), 'a')).status, 1);
    });

    await t.test('hostile questions', async () => {
        for (const q of ['', ' ', '%', '.*[(a++)+$', "' OR 1=1 --", '<script>', '\u202e\u200b', '😀'.repeat(60), '一'.repeat(170), 'a'.repeat(512), '1'.repeat(512), '号'.repeat(100), '#', '\ud7ff', 'zhuang'.repeat(80)])
            assert.ok(Array.isArray(await ask(q)), q);
        for (const target of ['/search', '/search?q=%00', '/search?q=%ff', '/search?q=%ed%a0%80', '/search?q=%0a', `/search?q=${'a'.repeat(513)}`, '/search?q=a&q=b', '/reverse', '/reverse?lon=1', '/reverse?lon=1&lat=90', '/reverse?lon=nan&lat=1'])
            assert.equal(await statusOf(server.port, target), 400, target);
    });

    await t.test('the box of the start page, by keyboard', { skip }, async (t) => {
        const { page } = await launch(t, { viewport: { width: 390, height: 844 } });
        await page.goto(server.url);
        await page.locator('#layers tr').first().waitFor();
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(width <= 390, `${width}`);
        await page.locator('#search').focus();
        await page.keyboard.type('zhangmut');
        const first = page.locator('#found [role=option]').first();
        await first.filter({ hasText: '樟木头镇' }).waitFor();
        assert.equal(await first.getAttribute('aria-selected'), 'true');
        await page.keyboard.press('Escape');
        assert.ok(await page.locator('#found').isHidden());
        // Enter before the answer has come takes its first, not one of before.
        let go;
        const held = new Promise((resolve) => { go = resolve; });
        await page.route('**/search?*', async (route) => { await held; await route.continue(); });
        await page.locator('#search').fill('Humen Town');
        await page.keyboard.press('Enter');
        assert.ok(!page.url().includes('analyst'));
        go();
        const [town] = await ask('虎门镇');
        await page.waitForURL((url) => url.pathname === '/analyst' && url.hash.startsWith(`#map=12/${town.lat}/${town.lon}`));
    });

    await t.test('what is written is found, what is removed is not', async () => {
        const at = address[0];
        const write = async (method, target, body) => {
            const answer = await fetch(`${server.url}/collections/address/items${target}`, { method, headers: { 'content-type': 'application/geo+json' }, body: body && JSON.stringify(body) });
            assert.ok(answer.ok, await answer.text());
        };
        const row = (id, text) => ({ type: 'Feature', id, properties: { text, building: 'B-NEW', residents: 0 }, geometry: { type: 'Point', coordinates: [Number(at.lon), Number(at.lat)] } });
        await write('POST', '', row('A-NEW-1', '东莞市鹤鸣镇孤山村望月路88号'));
        assert.equal((await ask('鹤鸣望月路88号'))[0].id, 'A-NEW-1');
        assert.equal((await ask('hemingzhen wangyuelu'))[0].id, 'A-NEW-1');
        await write('PATCH', '/A-NEW-1', { type: 'Feature', properties: { text: '东莞市鹤鸣镇孤山村观海路99号' }, geometry: undefined });
        assert.equal((await ask('观海路99号'))[0].id, 'A-NEW-1');
        assert.ok(!(await ask('望月路88号')).some((r) => r.id === 'A-NEW-1' && r.name.includes('望月')));
        // Names have words of English, too.
        await write('POST', '', row('A-NEW-3', 'The Park Road Coffee'));
        for (const typed of ['The Park Road Coffee', 'park road coffee', 'park road cofee'])
            assert.equal((await ask(typed))[0]?.id, 'A-NEW-3', typed);
        // A road that is called like a town, in another town: what was typed is the road.
        const { features: towns } = JSON.parse(await done('query', city, 'town', '--limit', '100'));
        const stems = towns.map((f) => f.properties.name.replace(/(街道|镇)$/, ''));
        for (const [i, stem] of stems.entries())
            await write('POST', '', row(`A-ROAD-${i}`, `东莞市鹤鸣镇孤山村${stem}中路${300 + i}号`));
        for (const [i, stem] of stems.entries())
            for (const typed of [`${stem}中路${300 + i}号`, `东莞市${stem}中路${300 + i}号`, `鹤鸣镇${stem}中路${300 + i}号`, `${stem}中路`])
                assert.equal((await ask(typed))[0]?.id, `A-ROAD-${i}`, typed);
        for (let i = 0; i < stems.length; i++) await write('DELETE', `/A-ROAD-${i}`);
        await write('POST', '', row('A-NEW-2', '东莞市鹤鸣镇孤山村望月路90号'));
        await write('DELETE', '/A-NEW-1');
        assert.ok(!(await ask('观海路99号')).some((r) => r.id === 'A-NEW-1'));
        const old = address.find((a) => address.filter((o) => o.building === a.building).length === 1);
        assert.equal((await ask(old.text))[0].id, old.id);
        await write('DELETE', `/${old.id}`);
        assert.ok(!(await ask(old.text)).some((r) => r.id === old.id));
        const verb = JSON.parse(await done('search', city, '望月路90号'));
        assert.equal(verb.results[0].id, 'A-NEW-2');
    });

    await t.test('/reverse as going through all addresses', async () => {
        const next = random(3);
        for (let i = 0; i < 25; i++) {
            const row = address[Math.floor(next() * address.length)];
            if (row.id === 'A00000001') continue;
            const at = { lon: Number(row.lon) + (next() - 0.5) * 4e-4, lat: Number(row.lat) + (next() - 0.5) * 4e-4 };
            const { status, json } = await get(`${server.url}/reverse?lon=${at.lon}&lat=${at.lat}`), here = json();
            assert.equal(status, 200);
            const far = (a) => metres(at, { lon: Number(a.lon), lat: Number(a.lat) });
            const found = address.find((a) => a.id === here.address.id);
            const nearest = Math.min(...address.map(far));
            if (here.building && found.building === here.building.id) assert.ok(here.address.building === found.building);
            else assert.ok(far(found) <= nearest * 1.01 + 0.5, `${far(found)} ${nearest}`);
            assert.ok(Math.abs(here.address.distance_m - far(found)) <= 0.006 * far(found) + 0.2);
            assert.equal(here.worker, null);
            assert.deepEqual(here.hidden, ['worker']);
        }
        const row = address[5000], exact = (await get(`${server.url}/reverse?lon=${row.lon}&lat=${row.lat}`)).json();
        const { properties } = (await get(`${server.url}/collections/address/items/${row.id}`)).json();
        for (const level of ['grid', 'village', 'town']) assert.equal(exact[level].id, properties[level]);
        assert.equal(exact.building.id, row.building);
        assert.equal(exact.address.building, row.building);
        const nowhere = (await get(`${server.url}/reverse?lon=0&lat=0`)).json();
        for (const part of ['address', 'building', 'grid', 'village', 'town', 'worker']) assert.equal(nowhere[part], null);
    });

    await t.test('after a start', async () => {
        await server.stop();
        const { url } = await serve(t, city, '--read-only');
        const found = async (q) => (await get(`${url}/search?q=${encodeURIComponent(q)}`)).json().results;
        assert.equal((await found('望月路90号'))[0].id, 'A-NEW-2');
        assert.ok(!(await found('观海路99号')).some((r) => r.id === 'A-NEW-1'));
    });
});

/** Rings of a feature's polygons. */
const ringsOf = ({ type, coordinates }) => type === 'Polygon' ? coordinates : coordinates.flat();

/** Does it lie in the rings (even-odd), and how many metres from the nearest side? */
function lies(rings, { lon, lat }) {
    const kx = 102524, ky = 110752;
    let inside = false, near = Infinity;
    for (const ring of rings)
        for (let i = 1; i < ring.length; i++) {
            const [ax, ay, bx, by] = [(ring[i - 1][0] - lon) * kx, (ring[i - 1][1] - lat) * ky, (ring[i][0] - lon) * kx, (ring[i][1] - lat) * ky];
            if (ay > 0 !== by > 0 && 0 < ax + (bx - ax) * -ay / (by - ay)) inside = !inside;
            const [dx, dy] = [bx - ax, by - ay], long = dx * dx + dy * dy, at = long ? Math.min(1, Math.max(0, -(ax * dx + ay * dy) / long)) : 0;
            near = Math.min(near, Math.hypot(ax + at * dx, ay + at * dy));
        }
    return { inside, near };
}

/* Places are rounded to a centimetre: nearer to a side than this it is either. */
const SIDE_M = 0.05;

test('/reverse within the city, at its borders and outside, as the shapes of all units', async (t) => {
    const { dir, city, worker } = await makeCity(t), next = random(29);
    await writeFile(path.join(dir, 'token'), TOKEN);
    const { url } = await serve(t, city, '--read-only', '--in-charge-token-file', path.join(dir, 'token'));
    const units = {};
    for (const level of ['grid', 'village', 'town'])
        units[level] = JSON.parse(await done('query', city, level, '--limit', '10000')).features.map(({ id, geometry }) => ({ id, rings: ringsOf(geometry) }));
    const all = units.town.flatMap((u) => u.rings.flat()), side = (k) => [Math.min(...all.map((p) => p[k])), Math.max(...all.map((p) => p[k]))];
    const [[west, east], [south, north]] = [side(0), side(1)];
    const places = Array.from({ length: 80 }, () => ({ lon: west + (next() * 1.2 - 0.1) * (east - west), lat: south + (next() * 1.2 - 0.1) * (north - south) }));
    // On corners and sides, and a hand beside them.
    for (const level of ['grid', 'village', 'town'])
        for (let i = 0; i < 20; i++) {
            const { rings } = units[level][Math.floor(next() * units[level].length)], ring = rings[0], k = 1 + Math.floor(next() * (ring.length - 1)), at = next() < 0.3 ? 0 : next();
            const [lon, lat] = [0, 1].map((d) => ring[k - 1][d] + at * (ring[k][d] - ring[k - 1][d]));
            places.push({ lon, lat }, { lon: lon + (next() - 0.5) * 4e-6, lat: lat + (next() - 0.5) * 4e-6 });
        }
    let outside = 0, sides = 0, duties = 0;
    for (const place of places) {
        const here = (await get(`${url}/reverse?lon=${place.lon}&lat=${place.lat}`, auth)).json();
        for (const level of ['grid', 'village', 'town']) {
            const where = units[level].map((u) => ({ id: u.id, ...lies(u.rings, place) })), within = where.filter((u) => u.inside), touched = where.filter((u) => u.near < SIDE_M);
            const told = here[level]?.id ?? null, said = JSON.stringify({ ...place, level, told });
            if (!touched.length) assert.equal(told, within[0]?.id ?? null, said);
            else assert.ok(told === null ? touched.length < 2 : [...within, ...touched].some((u) => u.id === told), said);
            sides += touched.length > 0;
            outside += !within.length;
        }
        const there = worker.filter((w) => w.duty_grid === here.grid?.id);
        assert.deepEqual([...here.workers ?? []].sort(), there.map((w) => w.id).sort());
        if (there.length) assert.equal(here.worker.id, there.reduce((a, b) => a.seen > b.seen ? a : b).id);
        else assert.equal(here.worker, null);
        duties += there.length > 0;
    }
    assert.ok(outside > 20 && sides > 50 && duties > 5, `${outside} ${sides} ${duties}`);
});

test('layers of persons, and who is on duty', async (t) => {
    const { dir, city, business, worker } = await makeCity(t);
    const file = path.join(city, 'city.json'), manifest = JSON.parse(await readFile(file, 'utf8'));
    manifest.layers.find((l) => l.name === 'business').personal = true;
    await writeFile(file, JSON.stringify(manifest));
    await writeFile(path.join(dir, 'token'), TOKEN);
    const { url } = await serve(t, city, '--in-charge-token-file', path.join(dir, 'token'));
    const row = business[0], q = encodeURIComponent(row.name);
    const plain = (await get(`${url}/search?q=${q}&limit=100`)).json().results, all = (await get(`${url}/search?q=${q}&limit=100`, auth)).json().results;
    assert.ok(!plain.some((r) => r.layer === 'business'));
    assert.ok(all.some((r) => r.id === row.id));
    assert.deepEqual((await get(`${url}/search?q=${row.id}`)).json().results, []);
    assert.equal((await get(`${url}/search?q=${row.id}`, auth)).json().results[0].id, row.id);
    assert.deepEqual((await get(`${url}/search?q=${q}&layers=business`)).json().results, []);

    const one = worker[4], grid = one.duty_grid;
    const { lon, lat } = (await get(`${url}/search?q=${grid}`)).json().results.find((r) => r.id === grid);
    const here = (await get(`${url}/reverse?lon=${lon}&lat=${lat}`, auth)).json();
    const there = worker.filter((w) => w.duty_grid === here.grid?.id);
    assert.deepEqual(here.workers?.sort() ?? [], there.map((w) => w.id).sort());
    assert.deepEqual(here.hidden, []);
    if (there.length) {
        const last = there.reduce((a, b) => a.seen > b.seen ? a : b);
        assert.equal(here.worker.id, last.id);
    }
    assert.equal((await get(`${url}/reverse?lon=${lon}&lat=${lat}`)).json().worker, null);
});

test('indexes are made where they do not fit', async (t) => {
    const { dir, city, address } = await makeCity(t);
    const files = path.join(city, 'search'), text = address[100].text;
    const first = async (...more) => JSON.parse(await done('search', city, text, ...more)).results[0]?.id;

    // A server that only reads makes no folder, and finds all the same.
    const reader = await serve(t, city, '--read-only');
    const { results } = (await get(`${reader.url}/search?q=${encodeURIComponent(text)}`)).json();
    assert.equal(results[0].id, address[100].id);
    await assert.rejects(stat(files));
    await reader.stop();

    assert.equal(await first(), address[100].id);
    const names = await readdir(files), one = names.find((n) => n.startsWith('address-'));
    assert.ok(one && names.every((n) => n.endsWith('.find')), names.join());

    // Every few thousand bytes one that is wrong, and cut files.
    const whole = await readFile(path.join(files, one));
    for (let at = 0; at < whole.length; at += Math.ceil(whole.length / 12)) {
        const spoilt = Buffer.from(whole);
        spoilt[at] ^= 0x40;
        await writeFile(path.join(files, one), spoilt);
        // What is found wrong, when it is opened or used, is made again.
        assert.equal(await first('--quiet'), address[100].id, String(at));
    }
    // Where nobody may write, too: in memory then, and the file stays.
    const spoilt = Buffer.from(whole).fill(0xff, whole.length / 4, whole.length / 2);
    await writeFile(path.join(files, one), spoilt);
    const again = await serve(t, city, '--read-only');
    for (let i = 0; i < 3; i++)
        assert.equal((await get(`${again.url}/search?q=${encodeURIComponent(text)}`)).json().results[0].id, address[100].id);
    await again.stop();
    assert.deepEqual(await readFile(path.join(files, one)), spoilt);
    for (const len of [0, whole.length / 2]) {
        await writeFile(path.join(files, one), whole.subarray(0, len));
        assert.equal(await first('--quiet'), address[100].id);
        assert.deepEqual(await readFile(path.join(files, one)), whole);
    }
    // The index of another segment under this name does not fit.
    const other = names.find((n) => n.startsWith('business-'));
    await writeFile(path.join(files, one), await readFile(path.join(files, other)));
    assert.equal(await first('--quiet'), address[100].id);
    assert.deepEqual(await readFile(path.join(files, one)), whole);

    // Other rows: the old index goes, and only what is there is found.
    const source = path.join(dir, 'new.csv');
    await writeFile(source, 'lon,lat,id,text,building,residents\n113.75,23.03,X1,东莞市鹤鸣镇孤山村望月路88号,B9,0\n');
    await done('import', city, 'address', source, '--replace', '--quiet');
    assert.equal(JSON.parse(await done('search', city, '望月路88号', '--quiet')).results[0].id, 'X1');
    assert.notEqual(await first('--quiet'), address[100].id);
    assert.ok(!(await readdir(files)).includes(one));
});

test('a city that says nothing of search', async (t) => {
    const { city, address, business } = await makeCity(t);
    const file = path.join(city, 'city.json'), manifest = JSON.parse(await readFile(file, 'utf8'));
    delete manifest.search;
    await writeFile(file, JSON.stringify(manifest));
    for (const [text, id] of [[address[5].text, address[5].id], [business[5].id, business[5].id]])
        assert.equal(JSON.parse(await done('search', city, text, '--quiet')).results[0].id, id);
    // Addresses of a house are one answer, as the column of its name says.
    const house = address.find((a) => address.filter((o) => o.building === a.building).length > 2);
    const [one] = JSON.parse(await done('search', city, house.text.slice(0, house.text.indexOf('号') + 1), '--layers', 'address', '--quiet')).results;
    assert.deepEqual([one.kind, one.id], ['building', house.building]);
    manifest.search = [{ layer: 'address', column: 7 }];
    await writeFile(file, JSON.stringify(manifest));
    const { status, stderr } = await onemap('search', city, 'a', '--quiet');
    assert.equal(status, 1);
    assert.match(stderr, /city\.json: search\[0\]\.column/);
    manifest.search = [{ layer: 'none', column: 'text' }, { layer: 'address', column: 'text', kind: 'place' }];
    await writeFile(file, JSON.stringify(manifest));
    assert.equal(JSON.parse(await done('search', city, address[5].text, '--quiet')).results[0].kind, 'place');
});
