// The residents' map as a resident uses it, in a real browser, over a release.
//
// Plan
//   matters are found as residents say them, in both languages and in pinyin;
//   what the page gives as examples is; what is only similar is said to be
//   a phone, Chinese, pictures: first use; by position, by name, a matter by
//   chip and by word; the answer and its buttons above the bar; open or not at a chosen time; what list and map say is what the
//   server says; phone and route; activities and organisations
//   a laptop, English, MapLibre: the same places, the town and village chosen
//   by keyboard alone; axe finds nothing, in any state
//   the server goes and comes back: what is there stays, and is said to be old;
//   answers that overtake each other change nothing
//   text twice as large, targets of 44 px, a browser that is too old, no
//   WebGL2, no map at all, no such data, no position
//   no other host, no cookie, no complaint; what is loaded weighs 60,000 bytes
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after } from 'node:test';

import { GL, launch, onTheirWay, rest, skip } from './chromium.mjs';
import { done } from './onemap.mjs';
import { FOLDER, joined, load } from './pages/community.mjs';
import { get } from './sample.mjs';
import { serve } from './server.mjs';
import { untilWithin } from './until.mjs';

const until = untilWithin(120e3);
const require = createRequire(path.resolve('web/pages/package.json'));
const PHONE = { width: 390, height: 844 }, LAPTOP = { width: 1366, height: 768 };
const SCALE = 0.02;

/** The public release of a small city. */
async function makeRelease() {
    const dir = await mkdtemp(path.join(tmpdir(), 'onemap-test-')), src = path.join(dir, 'src'), city = path.join(dir, 'city'), release = path.join(dir, 'release');
    await done('synth', src, '--scale', SCALE, '--quiet');
    await done('import', city, '--all', src, '--quiet');
    await done('publish', city, release, '--quiet');
    const centres = JSON.parse(await done('query', release, 'service_centre', '--format', 'geojson')).features;
    return { dir, release, centres };
}

const sample = skip ? null : makeRelease();
after(async () => sample && rm((await sample).dir, { recursive: true, force: true }));

async function browse(t, { flags = [], viewport = PHONE, at, scheme = 'light', locale = 'zh-CN' } = {}) {
    const { context, page } = await launch(t, { flags, viewport, colorScheme: scheme, locale, timezoneId: 'America/New_York', reducedMotion: 'reduce',
        ...(at && { geolocation: at, permissions: ['geolocation'] }) });
    const log = { hosts: new Set(), bad: [], said: [], urls: [] };
    page.on('request', (r) => { if (/^(https?|wss?):/.test(r.url())) log.hosts.add(new URL(r.url()).host), log.urls.push(r.url()); });
    page.on('response', (r) => { if (r.status() >= 400) log.bad.push(`${r.status()} ${r.url()}`); });
    page.on('pageerror', (e) => log.said.push(e.message));
    page.on('console', (m) => { if (m.type() === 'error') log.said.push(m.text()); });
    return { page, log, context };
}

/** Nothing of another host, nothing refused, nothing complained of. */
function clean(log, url) {
    assert.deepEqual([...log.hosts], [new URL(url).host]);
    assert.deepEqual(log.bad, []);
    assert.deepEqual(log.urls.filter((u) => /[?&#](lon|lat|q)=/.test(u)), [], 'where somebody stands, and what they type, is in no address');
    assert.deepEqual(log.said, []);
}

const shot = (page, name) => page.screenshot({ path: path.join(tmpdir(), `onemap-community-${name}.png`) });

/** Of the whole page: what a bar covers now is seen by scrolling. */
async function axe(page, where) {
    const { width, height } = page.viewportSize();
    await page.setViewportSize({ width, height: Math.max(height, await page.evaluate(() => document.documentElement.scrollHeight)) });
    await page.evaluate(await readFile(require.resolve('axe-core/axe.min.js'), 'utf8'));
    const { violations } = await page.evaluate(() => window.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
    // Marks may lie on each other: the list has the same places (WCAG 2.5.8, equivalent).
    const at = (v) => v.nodes.map((n) => n.html).filter((html) => v.id !== 'target-size' || !html.includes('class="mark'));
    assert.deepEqual(violations.map((v) => [v.id, at(v)]).filter(([, nodes]) => nodes.length), [], where);
    await page.setViewportSize({ width, height });
}

const rested = (page) => page.waitForFunction(() => { const list = document.getElementById('list'); return list && !list.hasAttribute('aria-busy') && document.querySelector('[data-kind]'); });
const cards = (page) => page.evaluate(() => [...document.querySelectorAll('.card')].map((e) => ({ id: e.dataset.id, name: e.querySelector('h3 > span:last-child > span').innerText, native: e.querySelector('h3 .native')?.innerText, open: e.querySelector('.open')?.innerText.trim(), way: e.querySelector('.way')?.innerText })));
const marks = (page) => page.evaluate(() => [...document.querySelectorAll('.mark')].map((e) => ({ id: e.dataset.id, label: e.getAttribute('aria-label') })).sort((a, b) => parseInt(a.label, 10) - parseInt(b.label, 10)));

/** List and map show the same, which is what the server says. */
async function agree(page, url, query) {
    await rested(page);
    const shown = await cards(page), on = await marks(page), said = (await get(`${url}${query}`)).json().features;
    assert.deepEqual(shown.map((r) => r.id), said.map((f) => f.id));
    assert.deepEqual(on.map((m) => m.label), shown.map((r, i) => `${i + 1} ${r.name}`));
    return { shown, said };
}

test('matters are found as residents say them', { skip }, async () => {
    const { release } = await sample, { groups, list, variants } = JSON.parse(await readFile(path.join(release, 'city.json'), 'utf8')).community.matters;
    const c = await load('matters'), find = (words) => c.findMatters(groups, list, words, variants), names = (words) => find(words).map((m) => m.matter.name);
    // What a person would want, among the first that are shown.
    const wanted = { 医保报销: '医疗费用零星报销', 上学: '积分入学申请', 幼儿园: '托育机构咨询', 疫苗: '儿童预防接种预约', 打疫苗: '儿童预防接种预约', 我想给孩子打疫苗: '儿童预防接种预约',
        租房: '公共租赁住房申请', 养老金: '城乡居民养老保险待遇申领', 退休金: '城乡居民养老保险待遇申领', 买社保: '城乡居民养老保险参保登记', 身份证丢了: '身份证办理咨询', '医保 报销': '医疗费用零星报销',
        juzhuzheng: '居住证申领', 'jū zhù zhèng': '居住证申领', jzz: '居住证申领', yimiao: '儿童预防接种预约', yibaobaoxiao: '医疗费用零星报销', falv: '法律援助申请', zhangzhe: '长者饭堂就餐登记',
        vaccine: '儿童预防接种预约', vacine: '儿童预防接种预约', kindergarten: '托育机构咨询', 'medical claims': '医疗费用零星报销', 'How do I get a divorce': '婚姻登记预约', pension: '城乡居民养老保险待遇申领', '医保': '城乡居民医保参保登记' };
    for (const [words, name] of Object.entries(wanted)) {
        assert.ok(names(words).slice(0, 8).includes(name), `${words}: ${names(words)}`);
        assert.ok(!find(words).near, words);
    }
    // Of several that have the same word, the one that has the rest of what was typed.
    for (const [words, name] of [['社保卡不见了', '社保卡挂失解挂'], ['养老金年审', '养老待遇资格认证'], ['挂失社保卡', '社保卡挂失解挂'], ['居住证', '居住证申领'], ['工资被拖欠', '欠薪投诉登记']]) {
        assert.equal(names(words)[0], name, words);
        assert.ok(!find(words).near, words);
    }
    assert.deepEqual(names('passport'), []);
    // Traditional characters are the same word: every text of a matter written so finds what it does, as surely.
    for (const [words, plain] of [['居住證', '居住证'], ['居住證丟了', '居住证丢了'], ['醫療', '医疗'], ['醫保報銷', '医保报销'], ['養老金', '养老金'], ['結婚', '结婚'], ['殘疾證', '残疾证'], ['社會保障卡', '社会保障卡'], ['買社保', '买社保']]) {
        assert.deepEqual(names(words), names(plain), words);
        assert.equal(find(words).near, find(plain).near, words);
    }
    const traditional = new Map(Array.from({ length: variants.length / 2 }, (_, i) => [variants[2 * i + 1], variants[2 * i]]));
    for (const matter of list) {
        const words = [...matter.name].map((one) => traditional.get(one) ?? one).join('');
        assert.equal(names(words)[0], matter.name, words);
    }
    // The examples that the page itself gives.
    for (const [language, split] of [['chinese', /例如:|、/], ['english', /e\.g\. |, /]]) {
        const examples = (await load(language)).words.searchTip.split(split).filter(Boolean);
        assert.ok(examples.length >= 3);
        for (const words of examples) assert.ok(names(words).length && !find(words).near, words);
    }
    // Whatever something is called, by that it is found; by its own name first.
    for (const matter of list) {
        assert.equal(names(matter.name)[0], matter.name);
        assert.equal(find(matter.name_en)[0].matter.name_en, matter.name_en);
        assert.ok(matter.aliases.length >= 1, matter.name);
        for (const words of [...matter.aliases, ...matter.pinyin.split(';'), ...matter.pinyin.split(';').map((s) => s.replaceAll(' ', ''))])
            assert.ok(names(words).includes(matter.name) && !find(words).near, `${words}: ${matter.name}`);
    }
    // In pinyin as people say it: each way that sounds are taken for each other, as surely.
    const SAID = [[/^([zcs])h/, '$1'], [/^([zcs])(?!h)/, '$1h'], [/^n/, 'l'], [/^l/, 'n'], [/(?<=[aei]n)g$/, ''], [/(?<=[aei]n)$/, 'g']];
    let slips = 0;
    for (const matter of list.filter((m, i) => i % 5 === 0)) {
        const syllables = matter.pinyin.split(';')[0].split(' '), right = syllables.join('');
        for (const [from, to] of SAID) {
            const words = syllables.map((s) => s.replace(from, to)).join('');
            if (words === right || words.length < 6) continue;
            const found = find(words);
            assert.ok(found.some((m) => m.matter === matter) && !found.near, `${words} for ${right}`);
            slips++;
        }
    }
    assert.ok(slips > 40, `${slips} slips`);
    for (const [words, name] of [['juzuzheng', '居住证申领'], ['juzhuzeng', '居住证申领'], ['ju zu zen', '居住证申领'], ['sebaoka', '社保卡申领']])
        assert.equal(names(words)[0], name, words);
    // One letter another, missing, too many, or two exchanged: the nearest, said to be so.
    for (const words of ['juzhuzhemg', 'juzhuzhng', 'juzhhuzheng', 'juhzuzheng', 'juzhuzhegn']) {
        const found = find(words);
        assert.ok(found.near && found.length <= 4 && found[0].matter.name.includes('居住证'), `${words}: ${names(words)}`);
    }
    for (const words of ['xuzhxzheng', 'passport']) assert.ok(!names(words).some((one) => one.includes('居住证')), words);
    // A wrong character: the nearest, a few, and said to be; nonsense: none.
    const near = find('居往证');
    assert.ok(near.near && near.length && near.length <= 4 && near.every((m) => m.matter.name.includes('居住证') || m.by.includes('居住证')));
    for (const words of ['qqqqzzzz', '12345', '???', '  ', '']) assert.equal(find(words).length, 0, words);
});

test('the residents\' map', { skip }, async (t) => {
    const { release, centres } = await sample;
    const server = await serve(t, release), { url } = server;
    const [home] = centres.map((f) => f.geometry.coordinates), at = { longitude: Math.round((home[0] + 0.003) * 1e4) / 1e4, latitude: Math.round((home[1] + 0.002) * 1e4) / 1e4 };
    const place = `lon=${at.longitude}&lat=${at.latitude}`;

    await t.test('on a phone, in Chinese, with pictures', async (t) => {
        const { page, log } = await browse(t, { at });
        await page.goto(`${url}/community`);
        await page.waitForSelector('#map [data-kind="leaflet"], .map-holder[data-kind="leaflet"]');
        assert.match(await page.innerText('.top'), /社区地图[\s\S]*合成数据/);
        assert.match(await page.innerText('#list'), /选一个出发地/);
        assert.deepEqual((await page.locator('.groups .chip').allInnerTexts()).slice(0, 7), ['居住证', '社保', '医保', '民政', '计生', '残联', '养老']);
        await axe(page, 'first use');
        await shot(page, 'first');
        const on = () => page.evaluate(() => [...document.querySelectorAll('.jump button')].map((b) => b.getAttribute('aria-pressed')).join());
        assert.equal(await on(), 'true,false');

        // By an everyday word; what is only similar; what is nothing.
        await page.fill('#matter', '打疫苗');
        assert.match(await page.locator('#matter-found .hit').first().innerText(), /^儿童预防接种预约\s*打疫苗$/);
        await page.fill('#matter', '居往证');
        await page.waitForFunction(() => /您要找的是不是/.test(document.getElementById('matter-found').innerText));
        assert.ok(await page.locator('#matter-found .hit').count() > 0);
        await axe(page, 'only similar');
        await page.keyboard.press('Enter');
        assert.doesNotMatch(page.url(), /matter=/, 'a guess is not taken by itself');
        await page.fill('#matter', 'qqqqzzzz');
        await page.waitForFunction(() => /没有找到这样的事项/.test(document.getElementById('matter-found').innerText));
        for (const words of ['居往证', 'qqqqzzzz']) {
            await page.fill('#matter', words);
            assert.equal(await page.locator('#matter-found a').getAttribute('href'), 'tel:12345');
        }
        await page.fill('#matter', '');

        await page.getByRole('button', { name: '我的位置' }).click();
        await page.waitForSelector('.mark');
        const { shown, said } = await agree(page, url, `/nearest/service_centre?${place}&k=3&mode=walk`);
        said.forEach(({ properties: p }, i) => assert.ok(shown[i].way.startsWith(p.minutes === null ? '直线' : `步行 ${Math.max(1, Math.ceil(p.minutes))} 分钟`), shown[i].way));
        assert.match(shown[0].open, /^未开门\(今天 \d+:\d\d 开\)$/, 'the clock of the data stands at midnight');
        const near = (await get(`${url}/nearest/service_centre?${place}&k=100&mode=walk`)).json().features.filter((f) => (f.properties.minutes ?? 99) <= 10).length;
        assert.match(await page.innerText('#list'), near ? new RegExp(`步行10分钟内有 ${near} 个`) : /步行10分钟内没有/);
        assert.ok(await page.locator('path.area').count() === 1, 'the ten-minute circle');
        assert.equal(await page.innerText('.caption'), '步行10分钟服务圈');
        await axe(page, 'results');
        await shot(page, 'phone');

        // By e-bike, at ten in the morning.
        await page.getByRole('button', { name: '骑电动车' }).click();
        await page.waitForFunction(() => /^骑电动车/.test(document.querySelector('.way').innerText));
        await agree(page, url, `/nearest/service_centre?${place}&k=3&mode=ebike`);
        const ride = (await get(`${url}/nearest/service_centre?${place}&k=100&mode=ebike`)).json().features.filter((f) => (f.properties.minutes ?? 99) <= 10).length;
        assert.match(await page.innerText('#list'), new RegExp(`骑电动车10分钟内有 ${ride} 个`), 'all of them, not those listed');
        await page.selectOption('#when', { label: '今天 上午 10:00' });
        assert.match((await cards(page))[0].open, /^开放至 (12:00|17:30)$/);

        // A matter by chip, one by word.
        await page.getByRole('button', { name: '医保', exact: true }).click();
        await page.getByRole('button', { name: '新生儿参保登记' }).click();
        await page.waitForFunction(() => /新生儿参保登记/.test(document.querySelector('#list h2').innerText));
        await rested(page);
        const can = await cards(page);
        assert.equal(can.length, 3);
        for (const { id } of can) assert.ok(centres.find((f) => f.id === id).properties.matters.split(';').includes('新生儿参保登记'), id);
        const nearest = (await get(`${url}/nearest/service_centre?${place}&k=600&mode=ebike`)).json().features
            .filter((f) => f.properties.matters.split(';').includes('新生儿参保登记')).slice(0, 3);
        assert.deepEqual(can.map((r) => r.id), nearest.map((f) => f.id));
        await page.fill('#matter', '图书');
        await page.getByRole('button', { name: '图书借阅' }).first().click();
        await page.waitForFunction(() => /图书借阅/.test(document.querySelector('#list h2').innerText));
        await rested(page);
        assert.match(page.url(), /#.*matter=/);
        assert.doesNotMatch(page.url(), /lon|113/, 'where somebody is stays out of the address');
        const told = log.urls.filter((u) => /11[34]\.\d|2[23]\.\d{2}/.test(u.replace(new URL(u).host, '')));
        assert.deepEqual(told, [], 'and out of all that are asked');
        for (const what of ['/nearest/service_centre', '/reach']) assert.ok(log.urls.some((u) => u.endsWith(what)), what);

        // What one does with a place.
        const first = page.locator('.card').first();
        assert.match(await first.locator('a[href^="tel:"]').getAttribute('href'), /^tel:0769-\d{8}$/);
        await first.getByRole('button', { name: /路线/ }).click();
        assert.deepEqual((await first.locator('.routes a').allInnerTexts()), ['高德地图', '百度地图', '手机地图']);
        for (const link of await first.locator('.routes a').all()) assert.match(await link.getAttribute('rel'), /noopener noreferrer/);
        await first.locator('summary').click();
        await first.locator('.matters li').first().waitFor();  // the list is made once it is open
        const own = await first.getAttribute('data-id');
        assert.equal(await first.locator('.matters li').count(), centres.find((f) => f.id === own).properties.items);
        assert.equal(await first.locator('.matters li.wanted').innerText(), '图书借阅');
        await page.locator('.mark').nth(1).click();
        assert.equal(await page.locator('.card.is-chosen').count(), 1);
        assert.equal(await page.locator('.card.is-chosen').getAttribute('data-id'), await page.locator('.mark.is-chosen').getAttribute('data-id'));
        await page.getByRole('button', { name: '再看几个' }).click();
        await page.waitForFunction(() => document.querySelectorAll('.card[data-id]').length === 8);
        assert.equal((await marks(page)).length, 8);

        await page.getByRole('button', { name: '活动', exact: true }).click();
        await page.waitForSelector('.card .when');
        await rested(page);
        const coming = await page.evaluate(() => [...document.querySelectorAll('.card')].map((e) => ({ text: e.innerText, sign: e.querySelector('.strong')?.href })));
        assert.ok(coming.length === 10 && coming.every((e) => /\d+月\d+日 周. \d+:\d\d–\d+:\d\d[\s\S]*主办:[\s\S]*名额 \d+/.test(e.text) && /^https:/.test(e.sign)), JSON.stringify(coming[0]));
        // Where they are: the nearest first, in which town and village.
        const listed = (await get(`${url}/nearest/activity?${place}&k=10&mode=ebike&filter=${encodeURIComponent("starts >= TIMESTAMP('2023-06-26T16:00:00Z')")}`)).json().features;
        assert.deepEqual((await cards(page)).map((r) => r.id), listed.map((f) => f.id));
        const called = async (layer) => new Map(JSON.parse(await done('query', release, layer, '--format', 'geojson')).features.map((f) => [f.id, f.properties.name]));
        const [towns, villages] = await Promise.all(['town', 'village'].map(called));
        listed.forEach(({ properties: p }, i) => assert.ok(coming[i].text.includes(`地点:${towns.get(p.town)} ${villages.get(p.village)}(主办方处)`), coming[i].text));
        assert.ok(await page.evaluate(() => [...document.querySelectorAll('.facts, .way')].every((e) => !/[·•]\s*(\n|$)/.test(e.innerText))), 'no dot that leads nowhere');
        await page.getByRole('button', { name: '再看几个' }).click();
        await page.waitForFunction(() => document.querySelectorAll('.card[data-id]').length === 15);
        assert.deepEqual((await cards(page)).slice(0, 10).map((r) => r.id), listed.map((f) => f.id));
        await page.getByRole('button', { name: '地图', exact: true }).click();
        await page.waitForFunction(() => document.querySelectorAll('.jump button')[1].getAttribute('aria-pressed') === 'true');
        assert.equal(await on(), 'false,true');
        await page.getByRole('button', { name: '列表', exact: true }).click();
        await page.waitForFunction(() => document.querySelectorAll('.jump button')[0].getAttribute('aria-pressed') === 'true');
        await axe(page, 'activities');
        await page.getByRole('button', { name: '组织', exact: true }).click();
        await page.getByRole('button', { name: '文化', exact: true }).click();
        await page.waitForFunction(() => document.querySelectorAll('.card').length > 2 && [...document.querySelectorAll('.card')].every((e) => /文化/.test(e.innerText)));
        await axe(page, 'organisations');
        clean(log, url);
        assert.deepEqual(await page.context().cookies(), []);
        assert.equal(await page.evaluate(() => localStorage.length + sessionStorage.length), 0);
    });

    await t.test('on a laptop, in English, with MapLibre, by keyboard alone', async (t) => {
        const { page, log } = await browse(t, { flags: GL, viewport: LAPTOP });
        await page.goto(`${url}/community?lang=en&map=maplibre`);
        await page.waitForSelector('.map-holder[data-kind="maplibre"]');
        assert.equal(await page.getAttribute('html', 'lang'), 'en');
        assert.deepEqual([await page.innerText('.top .city'), await page.getAttribute('.top .city', 'lang')], ['Dongguan (synthetic)', null]);
        /** Tab on until it is reached. */
        const tab = async (selector, back) => {
            for (let i = 0; i < 80; i++) {
                if (await page.evaluate((s) => document.activeElement.matches(s), selector)) return;
                await page.keyboard.press(back ? 'Shift+Tab' : 'Tab');
            }
            assert.fail(`never reached by Tab: ${selector}`);
        };
        await page.keyboard.press('Tab');
        assert.equal(await page.evaluate(() => document.activeElement.innerText), 'Skip to the list');
        await tab('#town');
        await page.waitForFunction(() => document.querySelectorAll('#town option').length > 30);
        await page.keyboard.press('ArrowDown');
        await page.waitForFunction(() => document.querySelectorAll('#village option').length > 1 && !document.querySelector('#village').disabled);
        await tab('#village');
        await page.keyboard.press('ArrowDown');
        await page.waitForSelector('.mark');
        await rested(page);
        assert.equal(await page.evaluate(() => document.activeElement.id), 'list', 'one goes on at what is found');
        const shown = await cards(page);
        assert.equal(shown.length, 3);
        assert.match(shown[0].way, /^\d+ min on foot/);
        // Names in letters, and the Chinese ones beside them, each in its language.
        const english = new Map(centres.map((f) => [f.id, f.properties]));
        for (const { id, name, native } of shown) assert.deepEqual([name, native], [english.get(id).name_en, english.get(id).name]);
        assert.match(shown[0].name, /^[ -~]+ Service Centre$/);
        assert.deepEqual(await page.evaluate(() => [...document.querySelectorAll('.native')].map((e) => e.lang)), Array(3).fill('zh-CN'));
        assert.ok((await page.locator('.origin').innerText()).startsWith('Middle of '));
        assert.deepEqual((await marks(page)).map((m) => m.label), shown.map((r, i) => `${i + 1} ${r.name}`));
        assert.match(page.url(), /town=\d+&village=\d+/);
        const names = log.urls.filter((u) => u.includes('/tiles/labels/'));
        assert.ok(names.length && names.every((u) => u.endsWith('&lang=en')));
        const drawn = await Promise.all(names.slice(0, 6).map(async (u) => [(await get(u)).body, (await get(u.replace('lang=en', 'lang=zh'))).body]));
        assert.ok(drawn.some(([en, zh]) => !en.equals(zh)), 'names are in both languages');
        await axe(page, 'MapLibre');
        await shot(page, 'laptop');

        await tab('.chip[data-id="elderly"]', true);
        await page.keyboard.press('Enter');
        await page.waitForFunction(() => /Elderly care/.test(document.querySelector('#list h2').innerText));
        assert.equal(await page.evaluate(() => document.activeElement.dataset.id), 'elderly', 'the focus stays on what was pressed');
        await rested(page);
        await tab('.card .actions button:last-child');
        await page.keyboard.press('Enter');
        await page.waitForFunction(() => document.activeElement.matches('.mark.is-chosen'));
        await page.keyboard.press('Enter');
        await page.waitForFunction(() => document.activeElement.matches('.card.is-chosen'));
        await tab('.control.in');
        await page.keyboard.press('Enter');
        await tab('.control.north');
        await page.keyboard.press('Enter');
        await page.reload();
        await page.waitForSelector('.mark');
        await rested(page);
        assert.match(await page.innerText('#list h2'), /Elderly care/, 'the address keeps what was chosen');
        clean(log, url);
    });

    await t.test('the first screen of a phone answers', async (t) => {
        const { page, log } = await browse(t, { viewport: { width: 360, height: 740 } });
        for (const lang of ['zh', 'en']) {
            await page.goto(`${url}/community?lang=${lang}`);
            await page.waitForSelector('#place');
            // A place by its name, here in pinyin; of what is found, what one can start from.
            const town = (await get(`${url}/stats/service_centre?by=town`)).json().groups.find((g) => g.id), [first] = centres;
            await page.fill('#place', lang === 'en' ? first.properties.name_en.toLowerCase().replace(/ .*/, '') : first.properties.name);
            if (lang === 'en') await page.locator('#place-found .hit', { hasText: first.properties.name_en }).filter({ hasText: first.properties.name }).first().click();
            else await page.locator('#place-found .hit', { hasText: first.properties.name }).first().click();
            await page.waitForSelector('.mark');
            await rested(page);
            assert.equal((await cards(page))[0].id, first.id, 'one starts where it stands');
            await axe(page, `by name, ${lang}`);
            await page.evaluate(() => window.scrollTo(0, 0));
            const bar = await page.evaluate(() => document.querySelector('.jump').getBoundingClientRect().top);
            for (const what of ['.answer', '.actions a[href^="tel:"]', '.actions .strong'])
                assert.ok(await page.evaluate((w) => document.querySelector(`.card ${w}`).getBoundingClientRect().bottom, what) <= bar, `${lang}: ${what} is above the bar`);
            await shot(page, `small-${lang}`);
            await page.locator('.origin button').click();
            await page.fill('#place', town.name);
            await page.locator('#place-found .hit').first().click();
            await page.waitForFunction((id) => document.querySelector('.origin') && location.hash.includes(`town=${id}`), town.id);
            await page.locator('.origin button').click();
            await page.fill('#place', 'qqqqzzzz');
            await page.waitForFunction(() => !document.querySelector('#place-found').hidden && !document.querySelector('#place-found button'));
        }
        clean(log, url);
    });

    await t.test('what every page weighs and allows', async () => {
        const { parse } = require('acorn');
        const tree = (text) => JSON.stringify(parse(text, { ecmaVersion: 2018 }).body, (key, value) => (['start', 'end'].includes(key) ? undefined : value));
        for (const [short, language] of [['zh', 'chinese'], ['en', 'english']]) {
            let bytes = 0;
            for (const name of ['community/check.js', `community/page-${short}.js`, 'leaflet/leaflet.js']) {
                const answer = await get(`${url}/pages/${name}`, { headers: { 'accept-encoding': 'gzip' } });
                assert.equal(answer.headers['content-encoding'], 'gzip');
                bytes += answer.body.length;
            }
            assert.ok(bytes <= 60000, `${language}: ${bytes} bytes of script`);
            // What is joined is what its parts say, without remarks and indents.
            const parts = await Promise.all(joined(language).map((f) => readFile(`${FOLDER}/${f}.js`, 'utf8')));
            const whole = (await get(`${url}/pages/community/page-${short}.js`)).text();
            assert.ok(tree(whole) === tree(parts.join('\n')), `page-${short}.js is not what its parts are`);
            assert.doesNotMatch(whole, /^\s|^\/[/*]/m);
        }
        const policy = async (name) => (await get(url + name)).headers['content-security-policy'];
        for (const name of ['/community', '/embed', '/pages/community/index.html', '/pages/community/embed.html']) {
            const said = await policy(name);
            assert.match(said, /default-src 'self'/);
            assert.doesNotMatch(said, /unsafe|https?:/);
            assert.match(said, /embed/.test(name) ? /frame-ancestors \*$/ : /frame-ancestors 'self'$/, name);
        }
        for (const name of ['/', '/analyst']) assert.match((await get(url + name, { headers: { accept: 'text/html' } })).headers['content-security-policy'], /frame-ancestors 'self'$/);
        assert.equal((await get(`${url}/community?nothing=1`)).status, 200, 'what others have hung on it');
    });
});

test('states of the residents\' map', { skip }, async (t) => {
    const { release, centres } = await sample;
    const [home] = centres.map((f) => f.geometry.coordinates), at = { longitude: home[0], latitude: home[1] };

    await t.test('the server goes and comes back', async (t) => {
        let server = await serve(t, release);
        const { port, url } = server, { page, log } = await browse(t, { at });
        await page.goto(`${url}/community`);
        await page.getByRole('button', { name: '我的位置' }).click();
        await page.waitForSelector('.mark');
        await rested(page);
        const before = await cards(page);
        await server.stop();
        await page.getByRole('button', { name: '骑电动车' }).click();
        await page.waitForSelector('.silence:not([hidden])');
        assert.match(await page.innerText('.silence'), /连不上服务器,正在重试。下面是 \d+:\d\d 的内容/);
        assert.deepEqual(await cards(page), before, 'what was there stays, and says how it was meant');
        await axe(page, 'offline');
        await shot(page, 'offline');
        server = await serve(t, release, '--listen', `127.0.0.1:${port}`);
        await page.waitForSelector('.silence', { state: 'hidden' });
        await rested(page);
        assert.ok((await cards(page)).every((r) => /^骑电动车/.test(r.way)));
        assert.deepEqual([...log.hosts], [new URL(url).host]);
    });

    const { url } = await serve(t, release);
    await t.test('answers overtake each other', async (t) => {
        const { page } = await browse(t), way = onTheirWay(page);
        /** The first such answer waits until it is let go. */
        const keep = async (what) => {
            let go, kept = 0;
            const held = new Promise((resolve) => { go = resolve; });
            await page.route(what, async (route) => {
                if (!kept++) await held;
                await route.continue();
            });
            return { asked: () => until('it is asked', () => kept > 0), go };
        };
        await page.goto(`${url}/community`);
        await page.waitForFunction(() => document.querySelectorAll('#town option').length > 2);
        const activities = await keep('**/collections/activity/items?*');
        await page.getByRole('button', { name: '活动', exact: true }).click();
        await activities.asked();
        await page.getByRole('button', { name: '办事', exact: true }).click();
        assert.equal(await page.getAttribute('#list', 'aria-busy'), null, 'nothing is waited for any more');
        activities.go();
        // The answer of a village that was left for another comes last.
        await page.selectOption('#town', { index: 1 });
        await page.waitForFunction(() => document.querySelectorAll('#village option').length > 2 && !document.querySelector('#village').disabled);
        const village = await keep('**/collections/village/items/*');
        await page.selectOption('#village', { index: 1 });
        await village.asked();
        const [other] = await page.selectOption('#village', { index: 2 });
        await page.waitForSelector('.origin');
        const label = await page.innerText('.origin');
        village.go();
        await rest(page, way);
        assert.equal(await page.innerText('.origin'), label);
        assert.match(page.url(), new RegExp(`village=${other}`));
    });

    await t.test('large text, small fingers', async (t) => {
        const { page } = await browse(t, { at, viewport: { width: 360, height: 740 } });
        await page.goto(`${url}/community`);
        await page.getByRole('button', { name: '我的位置' }).click();
        await page.waitForSelector('.mark');
        await rested(page);
        const small = await page.evaluate(() => [...document.querySelectorAll('a, button, select, input, summary')].filter((e) => e.offsetParent && !e.classList.contains('skip'))
            .map((e) => [e.innerText || e.id, e.getBoundingClientRect()]).filter(([, r]) => r.width && (r.height < 43.9 || r.width < 43.9)).map(([name, r]) => `${name}: ${r.width} x ${r.height}`));
        assert.deepEqual(small, []);
        await page.evaluate(() => { document.documentElement.style.fontSize = '200%'; });
        const wide = await page.evaluate(() => ({ page: document.documentElement.scrollWidth, cut: [...document.querySelectorAll('button, .card p, .card h3, .top *, h2')].filter((e) => e.offsetParent && !e.classList.contains('hidden') && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline').map((e) => e.outerHTML.slice(0, 90)) }));
        assert.deepEqual(wide, { page: 360, cut: [] });
        await shot(page, 'large');
    });

    await t.test('no position, then one outside the city', async (t) => {
        const { page, context } = await browse(t);
        await page.goto(`${url}/community`);
        // What is to be done is known, and not yet from where: one goes on there.
        await page.fill('#matter', '图书');
        await page.locator('#matter-found .hit').first().click();
        await page.waitForFunction(() => document.activeElement.matches('.from'));
        await page.getByRole('button', { name: '我的位置' }).click();
        await page.waitForFunction(() => /没有得到位置/.test(document.querySelector('.from').innerText));
        assert.equal(await page.evaluate(() => document.activeElement.id), 'town');
        await context.grantPermissions(['geolocation']);
        await context.setGeolocation({ longitude: 2, latitude: 48 });
        await page.getByRole('button', { name: '我的位置' }).click();
        await page.waitForFunction(() => /不在本市范围内/.test(document.querySelector('.from').innerText));
        await page.getByRole('button', { name: '在地图上选' }).click();
        await page.getByRole('button', { name: '就从这里出发' }).click();
        await page.waitForSelector('.mark');
        assert.match(await page.innerText('.origin'), /地图上选的地方/);
    });

    await t.test('without WebGL2, without a map, too old, without data', async (t) => {
        const { page, context } = await browse(t, { at, flags: ['--disable-3d-apis'] });
        await page.goto(`${url}/community?map=maplibre`);
        await page.waitForSelector('.map-holder[data-kind="leaflet"]');
        await page.route('**/leaflet.js', (r) => r.abort());
        await page.goto(`${url}/community?map=leaflet`);
        await page.getByRole('button', { name: '我的位置' }).click();
        await page.waitForSelector('.card[data-id]');
        assert.match(await page.innerText('.map-holder'), /地图没有打开。列表里的内容是全的/);
        const old = await context.newPage();
        await old.addInitScript(() => { delete Promise.prototype.finally; });
        await old.goto(`${url}/community`);
        assert.match(await old.innerText('#app'), /请换用较新的浏览器,或拨打 12345/);
        const none = await context.newPage();
        await none.route(/\/nearest\//, (r) => r.fulfill({ status: 404, contentType: 'application/problem+json', body: '{"status":404,"detail":"there is no layer of that name"}' }));
        await none.goto(`${url}/community`);
        await none.getByRole('button', { name: '我的位置' }).click();
        await none.waitForFunction(() => /没有查到/.test(document.querySelector('#list').innerText));
        await axe(none, 'failed');
        await none.route(/\/nearest\//, (r) => r.fulfill({ status: 401, contentType: 'application/problem+json', body: '{"status":401,"detail":"a token is needed"}' }));
        await none.getByRole('button', { name: '再试一次' }).click();
        await none.waitForFunction(() => /没有权限/.test(document.querySelector('#list').innerText));
        await none.route(/\/nearest\//, (r) => r.fulfill({ status: 200, contentType: 'application/geo+json', body: '{"type":"FeatureCollection","features":[]}' }));
        await none.getByRole('button', { name: '再试一次' }).click();
        await none.waitForFunction(() => /附近没有找到/.test(document.querySelector('#list').innerText));
        assert.ok(await none.getByRole('link', { name: /12345/ }).first().isVisible());
    });
});

test('in the language of the browser, by either name of a map, or not at all', { skip }, async (t) => {
    const { release } = await sample, { url } = await serve(t, release);
    const { page } = await browse(t, { locale: 'en-GB' });
    const opened = async (target) => {
        await page.goto(url + target);
        await page.waitForSelector('.panel, .error');
        return page.getAttribute('html', 'lang');
    };
    for (const [target, lang] of [['/community', 'en'], ['/community?lang=zh', 'zh-CN'], ['/community?from=x&lang=zh-CN', 'zh-CN'], ['/embed', 'zh-CN'], ['/embed?lang=en', 'en']])
        assert.equal(await opened(target), lang, target);
    for (const map of ['gl', 'maplibre']) {
        await opened(`/community?map=${map}`);
        await page.waitForSelector('.map-holder[data-kind=maplibre]');
    }
    for (const [target, words] of [['/embed?layer=hazard_statistic&lang=en', 'There is no layer hazard_statistic here'], ['/embed?layer=service_center', '这里没有图层 service_center'], ['/embed?layer=toString', '这里没有图层 toString']]) {
        await opened(target);
        assert.equal(await page.innerText('.error'), words);
    }
    const { page: other } = await browse(t);
    await other.goto(`${url}/community`);
    await other.waitForSelector('.panel');
    assert.equal(await other.getAttribute('html', 'lang'), 'zh-CN');
});

test('the widget in another site', { skip }, async (t) => {
    const { release, centres } = await sample;
    const { url } = await serve(t, release), [lon, lat] = centres[3].geometry.coordinates;
    const demo = (body) => `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>学校</title><main><h1>学校</h1>${body}</main><script src="${url}/embed.js"></script></html>`;
    const pages = {
        '/': demo(`<one-map layer="service_centre" center="${lon},${lat}" zoom="15" theme="light"></one-map>`),
        '/two': demo('<one-map layer="activity" town="东城街道" lang="en" theme="dark" height="700"></one-map><one-map layer="organisation"></one-map>'),
        '/gone': demo('<p style="height:1500px">在上面</p><one-map town="441900999"></one-map><one-map village="441900003999"></one-map>'),
        '/steal': demo(`<iframe id="page" src="${url}/community"></iframe>`),
    };
    const site = http.createServer((request, answer) => {
        const page = pages[request.url];
        answer.writeHead(page ? 200 : 204, { 'content-type': 'text/html; charset=utf-8',
            'content-security-policy': `default-src 'none'; script-src ${url}; frame-src ${url}; style-src 'unsafe-inline'` });
        answer.end(page ?? '');
    });
    site.listen(0, '127.0.0.1');
    await once(site, 'listening');
    t.after(() => new Promise((end) => { site.closeAllConnections(); site.close(end); }));
    const home = `http://127.0.0.1:${site.address().port}`;
    const { page, log, context } = await browse(t, { viewport: LAPTOP });

    await page.goto(`${home}/`);
    const inner = page.frameLocator('one-map iframe');
    await inner.locator('.card[data-id]').first().waitFor();
    await inner.locator('.mark').first().waitFor();
    assert.equal(await inner.locator('.card').count(), 3);
    assert.equal(await inner.locator('.card').first().getAttribute('data-id'), centres[3].id);
    assert.match(await inner.locator('.top').innerText(), /合成数据[\s\S]*打开完整地图/);
    const frame = page.locator('one-map iframe');
    assert.equal(await frame.getAttribute('sandbox'), 'allow-scripts allow-popups allow-popups-to-escape-sandbox');
    assert.equal(await frame.getAttribute('title'), '社区地图');
    assert.equal(await page.frames()[1].evaluate(() => window.origin), 'null', 'an origin of its own');
    const focus = () => Promise.all(page.frames().map((f) => f.evaluate(() => document.activeElement.tagName)));
    assert.deepEqual(await focus(), ['BODY', 'BODY'], 'a frame that opens takes no focus');
    await inner.getByRole('button', { name: '社保', exact: true }).click();
    await inner.locator('h2', { hasText: '社保' }).waitFor();
    await shot(page, 'widget');
    assert.deepEqual([...log.hosts].sort(), [new URL(home).host, new URL(url).host].sort());
    assert.deepEqual(log.said, []);
    assert.deepEqual(await context.cookies(), []);

    await page.goto(`${home}/two`);
    const english = page.frameLocator('one-map >> nth=0 >> iframe');
    await english.locator('.card .when').first().waitFor();
    assert.deepEqual(await focus(), ['BODY', 'BODY', 'BODY']);
    assert.match(await english.locator('.top').innerText(), /Community map[\s\S]*Synthetic data/);
    assert.equal(await english.locator('html').getAttribute('data-theme'), '');
    assert.equal(Math.round((await page.locator('one-map').first().boundingBox()).height), 700);
    await page.frameLocator('one-map >> nth=1 >> iframe').locator('.tabs [aria-pressed="true"]', { hasText: '组织' }).waitFor();

    // Of units that are not there any more it is said so, and nothing jumps.
    await page.goto(`${home}/gone`);
    for (const k of [0, 1]) await page.frameLocator(`one-map >> nth=${k} >> iframe`).locator('#from-note[role="alert"]', { hasText: '这里没有这类数据' }).waitFor();
    assert.deepEqual(await focus(), ['BODY', 'BODY', 'BODY']);
    assert.equal(await page.evaluate(() => window.scrollY), 0);

    // Other pages of the server may not be framed.
    await page.goto(`${home}/steal`);
    while (!/frame-ancestors/.test(log.said.join('\n'))) await page.waitForTimeout(100);
    assert.equal(await page.frames()[1].evaluate(() => document.getElementById('app')?.innerText ?? '').catch(() => ''), '');
});
