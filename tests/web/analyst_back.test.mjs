// The way back in the analyst's page.
//
// Plan
//   what a person would call a step is an entry of the history: Back and
//   Forward go through them one by one, and what is shown is of each again
//   what is dragged, moved by keys or played is one step, a map that is moved none
//   a link within the page keeps the state
import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { isDeepStrictEqual } from 'node:util';

import { browse, idle, skip, until } from './analyst_page.mjs';
import { NO_GL } from './chromium.mjs';
import { done, folder } from './onemap.mjs';
import { serve } from './server.mjs';

/** The state in the address but for where the map is. */
const stateOf = (page) => new URL(page.url()).hash.replace(/^#|&?map=[^&]*/g, '').replace(/^&/, '');
const viewOf = (page) => (/[#&]map=([^&]+)/.exec(page.url()) ?? [])[1] ?? '';
const depth = (page) => page.evaluate(() => history.length);

/** What a person sees of the state. */
const seen = (page) => page.evaluate(() => {
    const shown = (q) => document.querySelector(q);
    return {
        pane: shown('[role=tab][aria-selected=true]').id, layer: shown('#subject').value, units: shown('select[name=table-units]')?.value ?? '',
        ticked: [...document.querySelectorAll('#query .fold-body input[type=checkbox]:checked')].map((b) => b.dataset.focus), filter: shown('#filter').value,
        period: [...document.querySelectorAll('#period input')].map((b) => b.value), compare: shown('input[name=compare]:checked')?.value ?? '',
        chosen: shown('#table tr.chosen')?.dataset.id ?? '',
    };
});

test('the way back', { skip }, async (t) => {
    const dir = await folder(t), city = path.join(dir, 'city');
    await done('synth', path.join(dir, 'files'), '--scale', '0.002', '--quiet');
    await done('import', city, '--all', path.join(dir, 'files'), '--quiet');
    const server = await serve(t, city, '--read-only');
    const { page, log } = await browse(t, `${server.url}/analyst#layer=hazard`, { flags: NO_GL });
    await until('the rows', () => page.evaluate(() => document.querySelectorAll('#table tr').length > 10));
    await idle(page, log);

    /** Go somewhere, and what then stands in the address and in the page. */
    const trail = [{ state: stateOf(page), seen: await seen(page) }];
    const step = async (what, act, truth) => {
        const before = await depth(page), from = stateOf(page);
        await act();
        await until(what, async () => stateOf(page) !== from && truth(stateOf(page)));
        await idle(page, log);
        assert.equal(await depth(page), before + 1, `${what} is one step`);
        trail.push({ state: stateOf(page), seen: await seen(page) });
    };

    const blur = () => page.evaluate(() => document.activeElement.blur());

    await t.test('a step is an entry', async () => {
        await step('other units', () => page.selectOption('select[name=table-units]', 'village'), (s) => /units=village/.test(s));
        await step('a unit', () => page.click('#table tr:nth-child(2) button'), (s) => /unit=/.test(s));
        await step('a value', () => page.locator('#query .value input').first().click(), (s) => /filter=/.test(s));
        await step('a condition that is typed', async () => {
            await page.fill('#filter', 'severity >= 3');
            await page.press('#filter', 'Enter');
        }, (s) => /filter=severity/.test(s));
        await step('a period', () => page.click('#period [data-days="30"]'), (s) => /time=/.test(s));
        await blur();
        await step('a pane by its key', () => page.keyboard.press('c'), (s) => /pane=compare/.test(s));
        await step('another side', () => page.click('input[name=compare][value=previous]'), (s) => /compare=previous/.test(s));
        await step('a pane by its tab', () => page.click('#tab-table'), (s) => /pane=table/.test(s));
        await step('another question', () => page.selectOption('select.add', 'hotspots'), (s) => /layers=.*hotspots/.test(s));
        await step('another layer', () => page.selectOption('#subject', 'tip'), (s) => /layer=tip/.test(s));
    });

    await t.test('many moves are one step, the map is none', async () => {
        const box = await page.locator('#map').boundingBox(), [x, y] = [box.x + box.width / 2, box.y + box.height / 3], before = await depth(page), view = viewOf(page);
        await page.mouse.move(x, y);
        await page.mouse.down();
        await page.mouse.move(x + 90, y + 40, { steps: 6 });
        await page.mouse.up();
        await until('it was dragged', () => viewOf(page) !== view);
        await idle(page, log);
        assert.equal(await depth(page), before);
        trail.at(-1).view = viewOf(page);
        const bars = page.locator('#period [role=slider]'), from = stateOf(page), days = (s) => /time=([^&]*)/.exec(s)[1];
        await bars.focus();
        await step('days by keys', async () => {
            for (let i = 1; i <= 3; i++) {
                const was = stateOf(page);
                await page.keyboard.press('ArrowLeft');
                await until('a day before', () => days(stateOf(page)) !== days(was));
            }
        }, (s) => days(s) !== days(from));
    });

    /** Is it again as it was? */
    const same = async (i, what) => {
        const want = trail[i];
        await until(`${what} ${i}: ${want.state}`, () => stateOf(page) === want.state);
        let now;
        await until('it is shown', async () => isDeepStrictEqual(now = await seen(page), want.seen)).catch(() => assert.deepEqual(now, want.seen, `${what} ${i}: ${want.state}`));
        assert.equal(stateOf(page), want.state, 'and stays');
        if (want.view) assert.equal(viewOf(page), want.view);
    };

    await t.test('back to where one began, and forward again', async () => {
        const last = trail.length - 1;
        for (let i = last - 1; i >= 0; i--) {
            await page.goBack();
            await same(i, 'back');
        }
        for (let i = 1; i <= last; i++) {
            await page.goForward();
            await same(i, 'forward');
        }
        assert.deepEqual([log.bad, log.said], [[], []]);
    });

    await t.test('a link within the page keeps the state', async () => {
        const was = stateOf(page);
        await page.focus('.skip');
        await page.keyboard.press('Enter');
        await until('the results', () => page.evaluate(() => document.activeElement.id === 'result'));
        await until('the state in the address again', () => stateOf(page) === was);
        assert.deepEqual(await seen(page), trail.at(-1).seen);
    });
});
