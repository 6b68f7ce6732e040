// What the server refuses, in plain words of both languages.
//
// Plan
//   a running server is asked what it refuses, by an analyst with a token: the
//   analyst's page has Chinese words for each answer, and plain English for
//   those that are about rights or cost
import assert from 'node:assert/strict';
import test from 'node:test';

import { refusalOf } from '../../web/pages/analyst/refusals.js';
import { askAs, makeSynthetic, token } from './roles.mjs';
import { serve } from './server.mjs';

/** Words of a sentence that nobody who reads Chinese only can read: names and
 *  what is typed apart. */
const ENGLISH = /\b(?!hazard|severity|severty|department|reported|status|visit|town|DATE|NULL|AND|OR|TRUE|FALSE|IS|NOT|TIMESTAMP)[A-Za-z]{3,}\b/;

test('refusals are told in plain words', async (t) => {
    const { city } = await makeSynthetic(t, 0.002), analyst = await token(city, 'analyst');
    const { url } = await serve(t, city, '--read-only'), ask = askAs(url, analyst);
    const refused = async (target) => {
        const answer = await ask(target), {detail} = answer.json();
        assert.ok(answer.status >= 400, `${target} is answered`);
        const zh = refusalOf('zh-CN', detail), en = refusalOf('en', detail);
        assert.match(zh, /[\u4e00-\u9fff]{2}/, `${target}: ${detail}`);
        return { detail, zh, en };
    };

    await t.test('those of rights and cost say so in both languages', async () => {
        for (const target of ['/legend/heat:hazard.json?per=visit&bandwidth=800', '/legend/heat:hazard.json?per=visit&kernel=gaussian', '/legend/heat:hazard.json?per=visit&filter=severity=1', '/legend/heat:hazard.json?per=resident&weight=severity',
            '/legend/heat:hazard.json?per=resident&datetime=2023-05-01/2023-05-09', '/legend/heat:overall.json?datetime=2023-05-01/2023-05-31',
            '/legend/heat:overall.json?halflife=3', '/density/hazard.tif?per=visit&bandwidth=800', '/coverage/patrol?by=town&datetime=2023-05-10/2023-06-10', '/stats/nothing', '/collections/town/items/0',
            '/hotspots/hazard?units=hex:1', '/hotspots/hazard?stat=emerging&units=village&datetime=2023-06-01/2023-06-05']) {
            const { detail, zh, en } = await refused(target);
            assert.doesNotMatch(zh, ENGLISH, `${target}: ${zh}`);
            assert.notEqual(en, detail, `${target}: plain words for '${detail}'`);
            assert.doesNotMatch(en, /[\u4e00-\u9fff]/);
        }
        assert.match((await refused('/legend/heat:overall.json?datetime=2023-05')).zh, /时段不能另选/);
        assert.match((await refused('/legend/heat:hazard.json?per=resident&datetime=2023-05-01/2023-05-09')).zh, /一个整月/);
        assert.match((await refused('/legend/heat:hazard.json?per=resident&filter=severity=1')).zh, /筛选不能另选/);
    });

    await t.test('what is wrong with a condition is told in Chinese', async () => {
        for (const filter of ['severty=1', 'severity = ', "severity = 'x'", 'severity & 1', 'department = 5', 'severity = NULL', "reported > 'x'", 'severity = 1 severity', '(severity=1',
            'severity = 1 +2', 'department IN ()', "department IN ('a'", 'severity = true', "reported > DATE('2023-13-45')", 'severity = reported']) {
            const { zh } = await refused(`/stats/hazard?filter=${encodeURIComponent(filter)}`);
            assert.doesNotMatch(zh.replace(/\(有:.*\)/, ''), ENGLISH, `${filter}: ${zh}`);
        }
    });

    // What nobody foresaw is not hidden.
    assert.equal(refusalOf('zh-CN', 'a message of tomorrow'), 'a message of tomorrow');
});
