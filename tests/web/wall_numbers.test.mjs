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
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import test from 'node:test';

import { makeSynthetic, token } from './roles.mjs';
import { serve } from './server.mjs';
import { CHROMIUM, filled, launch, open, until } from './wall_page.mjs';

const skip = !existsSync(CHROMIUM) && 'there is no browser here';
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
            if (n.sum) {
                const sums = body.sums ?? { [n.sum]: (await ask(role, n.asked.replace(/^\/collections\/(\w+)\/items\?limit=1&?/, `/stats/$1?sum=${n.sum}&`))).body.sum };
                if (sums[n.sum] !== plain(n.value)) wrong.push(`${at}: ${JSON.stringify(sums)}`);
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
    });
});
