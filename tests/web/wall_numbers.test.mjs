// Every number of the wall opens into its rows, for whoever may see them.
//
// Plan
//   for an admin, the wall's own role and an officer with an area, all numbers
//   of all panels and of the map, walked one by one:
//     what a number says is what its question answers
//     a link leads to as many rows as the number counts, or to rows that come
//     to it; what has no link is refused to that role
//     no number stands on the wall without a link that the walk has been at
//   the second screen tells the same numbers, and shows the rows
//   what a link leads to has the rows: beside the map, or on a sheet; in words,
//   in both languages, on a phone and a tablet
import assert from 'node:assert/strict';
import test from 'node:test';

import { readAsked, rowsOf } from '../../web/pages/list.js';
import { makeSynthetic, token } from './roles.mjs';
import { serve } from './server.mjs';
import { filled, launch, open, skip, until } from './wall_page.mjs';

const KINDS = ['register', 'service', 'checks', 'ranking', 'sources', 'loop', 'open', 'patrol', 'premises', 'participation', 'map'];

/** All that a wall tells: of each number its panel, words, value and link, with the address of its rows. */
const told = (page) => page.evaluate(async () => {
    const { onemapWall: wall } = window, { numbersOf } = await import('/pages/wall/numbers.js'), { askOf } = await import('/pages/wall/rows.js');
    const lists = wall.panels.map((p) => [p.key, p.numbers()]);
    const urlOf = (key) => wall.store.entries.get(key).question.url(wall.clock);
    lists.push(['map', numbersOf('map', { part: wall.part.map, store: wall.store, lang: 'zh-CN', now: () => wall.clock, urlOf })]);
    return lists.flatMap(([panel, list]) => list.map((n) => ({ panel, ...n, asked: n.rows ? askOf(n.rows, 1) : null })));
});

/** Links of the numbers that can be seen, and numbers that can be seen without one. */
const seen = (page) => page.evaluate(() => {
    const numbers = [...document.querySelectorAll('.panel b, .panel td > *, .values li > *, .ways > *, .ages > *, .today, #legend > :has(.risk)')].filter((n) => /\d/.test(n.textContent));
    return { links: numbers.map((n) => n.closest('a')?.getAttribute('href')).filter((h) => h), bare: numbers.filter((n) => !n.closest('a')).map((n) => `${n.closest('.panel')?.id}: ${n.textContent}`) };
});

const plain = (value) => Number(value.replaceAll(',', '').split(' ')[0]);

/** A moment, a unit's id or a column as machines write them; Chinese on an English page but for names, which are links. */
const MACHINE = /\d{4}-\d\d-\d\d|T\d\d:|\b4419\d{5,}\b|\b[a-z]+_[a-z]+\b|true|false|null/;

/** The rows that a number's link leads to, as people read them, on a tablet, a laptop and a phone. */
async function readable(context, url, n) {
    for (const [lang, width, height] of [['zh-CN', 1024, 768], ['en', 1366, 768], ['zh-CN', 390, 844]]) {
        const page = await context.newPage(), sheet = n.rows.startsWith('/sheet?'), href = sheet ? `${n.rows}&lang=${lang}` : n.rows.replace(/lang=[^#]*/, `lang=${lang}`);
        await page.setViewportSize({ width, height });
        await page.goto(url + href);
        const body = page.locator(sheet ? '.rows-table tbody tr' : '#table tr');
        await body.first().waitFor();
        const { cells, heads, total, wide } = await page.evaluate((of) => ({ cells: [...document.querySelectorAll(`${of} tbody tr`)].map((r) => [...r.cells].map((c) => c.innerText)), heads: [...document.querySelectorAll(`${of} thead th`)].map((h) => h.innerText),
            total: document.querySelector('#sheet .line, #total').innerText, wide: document.documentElement.scrollWidth - innerWidth }), sheet ? '.rows-table' : '.ranks');
        assert.ok(Number(/[\d,]+/.exec(sheet ? /[\d,]+(?= ?(行|rows))/.exec(total)[0] : total)[0].replaceAll(',', '')) === (n.behind ?? (await (await context.request.get(url + n.asked)).json()).numberMatched), `${total}, not ${n.behind}`);
        const said = [...heads, ...cells.flat()].filter((text) => MACHINE.test(text));
        assert.deepEqual(said, [], lang);
        assert.deepEqual(heads.filter((h) => (lang === 'en' ? /[^ -~\n]/ : /^[a-z]/i).test(h) && h !== 'ID'), []);
        // Names of houses are as they are on their doors.
        if (lang === 'en') assert.deepEqual(cells.flatMap((row) => row.slice(sheet ? 2 : 0)).filter((text) => /[^ -~–]/.test(text)), []);
        assert.ok(cells.flat().some((text) => (lang === 'en' ? /^\d{1,2} [A-Z][a-z]{2}( \d{4})? \d\d:\d\d$/ : /^(\d{4}年)?\d{1,2}月\d{1,2}日 \d\d:\d\d$/).test(text)), `moments: ${cells[0]}`);
        assert.ok(wide <= 1, `${wide} wider than the screen`);
        await until(`the rows are in sight at ${width} x ${height}`, async () => (await page.evaluate((of) => document.querySelector(of).getBoundingClientRect().top / innerHeight, sheet ? '.rows-table' : '.ranks')) < 0.8);
        if (sheet) assert.match(await page.locator('.rows-table tbody a').first().getAttribute('href'), /^\/analyst.*#map=17\/.*&at=\d/);
        if (sheet) {
            // On A4, lying, nothing is cut off.
            await page.emulateMedia({ media: 'print' });
            await page.setViewportSize({ width: 1046, height: 700 });
            assert.ok(await page.evaluate(() => document.querySelector('.rows-table').getBoundingClientRect().right <= innerWidth), 'as wide as the paper');
            assert.match((await page.pdf({ preferCSSPageSize: true })).toString('latin1'), /MediaBox \[0 0 84[12]/);
        }
        await page.close();
    }
}

test('every number opens into its rows, for whoever may see them', { skip }, async (t) => {
    const { city } = await makeSynthetic(t, 0.001), tokens = { admin: await token(city, 'admin'), wall: await token(city, 'wall') };
    const { url } = await serve(t, city);
    const ask = async (role, target) => {
        const response = await fetch(url + target, { headers: { Authorization: `Bearer ${tokens[role]}` } });
        return { status: response.status, body: await response.json() };
    };
    const town = (await ask('admin', '/stats/hazard?by=town')).body.groups.filter((g) => g.id).sort((a, b) => b.count - a.count)[0].id;
    tokens.officer = await token(city, 'officer', '--area', `town:${town}`);

    /** @type {Map<string, any>} */
    const whole = new Map();
    for (const role of ['admin', 'wall', 'officer']) await t.test(role, async (s) => {
        const { context, close } = await launch({ gl: false });
        s.after(close);
        const { page, log } = await open(context, `${url}/wall?motion=no&id=NUMBERS${role.toUpperCase()}&token=${tokens[role]}`);
        await filled(page);
        const numbers = await told(page), id = (n) => `${n.panel} ${n.text}`;
        if (role === 'admin') {
            for (const n of numbers) whole.set(id(n), n);
            assert.equal(whole.size, numbers.length, 'each has a name of its own');
            assert.deepEqual([...new Set(numbers.map((n) => n.panel))].sort(), [...KINDS].sort());
            assert.deepEqual(numbers.filter((n) => !n.rows).map(id), [], 'an admin may open all of them');
        }
        const links = new Set(numbers.map((n) => n.rows)), { links: shown, bare } = await seen(page);
        assert.deepEqual(shown.filter((href) => !links.has(href)), [], 'links that nobody has been at');
        if (role === 'admin') assert.deepEqual(bare, []);
        assert.ok(shown.length > 40 || role !== 'admin', `${shown.length} links`);

        const wrong = [];
        let walked = 0, refused = 0;
        for (const n of numbers) {
            const at = `${id(n)} = ${n.value} (${n.rows})`;
            if (!n.rows) {
                // Not even for who knows the address.
                const link = whole.get(id(n));
                if (link?.asked) {
                    const answer = await ask(role, link.asked);
                    if (![400, 401, 404].includes(answer.status)) wrong.push(`${at}: no link, and yet ${answer.status}`);
                    refused++;
                }
                continue;
            }
            walked++;
            if (!n.asked) {
                const q = new URLSearchParams(n.rows.split('#')[1]);
                if (q.get('coverage') === 'service') {
                    const { body } = await ask(role, `/coverage/service?by=${q.get('units')}`), sum = (c) => body.rows.reduce((all, r) => all + r[c], 0);
                    if (`${(100 * sum('sum_10min') / sum('sum')).toFixed(1)}%` !== n.value) wrong.push(at);
                } else {
                    assert.equal(q.get('layers'), 'hotspots', at);
                    const { body } = await ask(role, `/hotspots/${q.get('layer')}?per=${q.get('per')}&datetime=${q.get('time')}&f=geojson&limit=3000`);
                    if (body.features.filter((f) => f.properties.bin >= 2).length !== plain(n.value)) wrong.push(at);
                }
                continue;
            }
            const { status, body } = await ask(role, n.asked);
            if (status !== 200) {
                wrong.push(`${at}: ${status} ${JSON.stringify(body)}`);
                continue;
            }
            if (!/^\/sheet\?list=/.test(n.rows) && !/[&#]table=rows&pane=table/.test(n.rows)) wrong.push(`${at}: opens without its rows`);
            if (n.sum) {
                const { layer, coverage, filter, params } = readAsked(n.asked), sums = body.sums ?? { [n.sum]: (await ask(role, `/stats/${layer}?${new URLSearchParams({ sum: n.sum, ...(filter && { filter }) })}`)).body.sum };
                if (sums[n.sum] !== plain(n.value)) wrong.push(`${at}: ${JSON.stringify(sums)}`);
                params.set('limit', coverage ? '100000' : '1');
                // Who does not see the column is told all rows that may have something.
                if (!coverage && filter) params.set('sortby', n.sum);
                const { rows } = rowsOf((await ask(role, `${n.asked.split('?')[0]}?${params}`)).body), none = rows.filter((r) => r[n.sum] !== undefined && !(r[n.sum] > 0));
                if (none.length) wrong.push(`${at}: ${none.length} rows that it does not count, as ${none[0].id}`);
                if (coverage && rows.length !== body.numberMatched) wrong.push(`${at}: not all rows`);
            } else if (n.asked.startsWith('/coverage/') && rowsOf((await ask(role, n.asked.replace('&limit=1', '&limit=100000'))).body).rows.some((r) => r.class !== readAsked(n.asked).params.get('state'))) {
                wrong.push(`${at}: rows of another state`);
            } else if (n.behind === null || n.behind === undefined) wrong.push(`${at}: how many rows?`);
            else if (body.numberMatched !== n.behind) wrong.push(`${at}: ${body.numberMatched} rows, not ${n.behind}`);
            // A number of rows is their number.
            if (n.behind !== undefined && !/%|\.\d|^[·?–]$/.test(n.value) && !n.text.includes('天') && plain(n.value) !== n.behind) wrong.push(`${at}: ${n.behind}`);
        }
        assert.deepEqual(wrong, []);
        s.diagnostic(`${role}: ${numbers.length} numbers, ${walked} opened, ${refused} refused`);
        assert.ok(walked > (role === 'admin' ? 200 : 60), `${walked} opened`);
        assert.deepEqual(log.bad, []);

        const hand = await context.newPage();
        await hand.goto(`${url}/wall?drive=NUMBERS${role.toUpperCase()}`);
        await hand.getByRole('button', { name: '3 四级巡查' }).click();
        const lines = () => hand.evaluate(() => [...document.querySelectorAll('#numbers li')].map((li) => [li.querySelector('span').textContent, li.querySelector('b').textContent]));
        const mine = numbers.filter((n) => n.panel === 'patrol');
        await until('its numbers', async () => (await lines()).length === mine.length);
        assert.deepEqual(await lines(), mine.map((n) => [n.text, n.value]));
        const buttons = hand.locator('#numbers li button');
        assert.equal(await buttons.count(), mine.filter((n) => n.rows).length);
        await buttons.last().click();
        await until('its rows', () => hand.evaluate(() => /共[\d,]+行/.test(document.querySelector('#numbers .rows')?.textContent ?? '') || !!document.querySelector('#numbers .rows [role=alert]')));
        if (role !== 'wall') assert.equal(await hand.locator('#numbers [role=alert]').count(), 0);
        assert.deepEqual(log.said, []);
        if (role === 'admin') await s.test('a layer\'s rows are of that layer', async () => {
            const page = await context.newPage();
            for (const n of numbers.filter((m) => m.panel === 'sources')) {
                await page.goto('about:blank');
                await page.goto(url + n.rows);
                await until(n.text, () => page.evaluate(() => !!document.querySelector('#total > span, #sheet .line')));
                const told = await page.evaluate(() => document.querySelector('#total > span, #sheet .line').textContent);
                assert.ok(told.includes(plain(n.value).toLocaleString('en-US')), `${n.text} ${n.value}: ${told}`);
                assert.match(await page.evaluate(() => document.querySelector('#result-title, #sheet h1').textContent), new RegExp(n.text.replace(/[()]/g, '.')));
            }
            await page.close();
        });
        if (role === 'admin') for (const [name, n] of [['patrol', numbers.find((m) => m.panel === 'patrol' && m.sum === 'done')], ['open', numbers.find((m) => m.panel === 'open')]])
            await s.test(`what a link of ${name} leads to`, () => readable(context, url, n));
    });
});
