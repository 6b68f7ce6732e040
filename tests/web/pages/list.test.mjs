// The rows behind a number, as people read them.
import assert from 'node:assert/strict';
import test from 'node:test';

import { aboutOf, columnsOf, mapOf, NOTHING, placeOf, readAsked, rowsOf, UNKNOWN, whereOf } from '../../../web/pages/list.js';
import { Names } from '../../../web/pages/names.js';
import { momentOf } from '../../../web/pages/text.js';

const catalog = (lang) => ({ as_of: '2023-06-27T00:00:00+08:00', duty: { targets: [{ layer: 'house', level: 'grade' }] },
    names: lang === 'en' ? { grid: { g1: 'Xiazhou Community Grid 1' }, village: { v1: 'Xiazhou Community' }, town: { t1: 'Humen' } } : { grid: { g1: '霞洲社区第1网格' }, village: { v1: '霞洲社区' }, town: { t1: '虎门镇' } },
    layers: [{ name: 'grid', unit_level: 'grid', rows: 9 }, { name: 'village', unit_level: 'village', rows: 3 }, { name: 'town', unit_level: 'town', rows: 1 },
        { name: 'house', rows: 5, value_titles: { grade: { a: '甲级' } }, value_titles_en: { grade: { a: 'first' } } },
        { name: 'report', rows: 5, value_titles: { severity: { 4: '高' } }, value_titles_en: { severity: { 4: 'high' }, item: { 灭火器: 'Fire extinguisher', 过期: 'expired' } } }] });
const about = (lang) => aboutOf(lang, new Names(lang, catalog(lang)), catalog(lang));
const told = (lang, address, rows) => {
    const columns = columnsOf(about(lang), readAsked(address), rows);
    return { heads: columns.map((c) => c.title), cells: rows.map((r) => columns.map((c) => c.cell(r))), columns };
};

test('addresses that list rows are known, others are none', () => {
    assert.deepEqual({ ...readAsked('/collections/report/items?filter=a%20%3D%201&datetime=2023-01-01/2023-01-31&sortby=-due'), params: 0 },
        { layer: 'report', coverage: false, filter: 'a = 1', time: '2023-01-01/2023-01-31', sort: '-due', params: 0 });
    assert.equal(readAsked('/coverage/patrol?rows=true&layer=house').layer, 'house');
    assert.equal(readAsked('/collections/road/items').layer, 'road');
    for (const address of ['/coverage/patrol', '/coverage/patrol?by=town', '/coverage/service?rows=true', '/stats/report?by=town', '/collections/report', 'https://elsewhere.example/collections/report/items?', '//elsewhere.example/collections/a/items?', '/collections/a/../b/items?x=1', 'javascript:alert(1)', ''])
        assert.equal(readAsked(address), null, address);
});

test('rows of a layer: what, where, what is said of it, its keys', () => {
    const row = { id: 'R1', item: '灭火器过期', severity: 4, reported: '2023-06-26T14:05:31+08:00', due: '2022-12-01T00:00:00+08:00', resolved: null, returned: 1200, urgent: true, worker: 'W7', grid: 'g1', village: 'v1', town: 't1' }, other = { ...row, id: 'R2', resolved: '2023-06-26T00:00:10+08:00', urgent: false };
    const zh = told('zh-CN', '/collections/report/items?limit=2', [row, other]), en = told('en', '/collections/report/items?limit=2', [row, other]);
    assert.deepEqual(zh.heads, ['事项', '所在', '等级', '上报', '时限', '处置', '退回次数', 'urgent', '网格管理员', '编号']);
    assert.deepEqual(zh.cells[0], ['灭火器过期', '虎门镇霞洲社区第1网格', '高', '6月26日 14:05', '2022年12月1日', NOTHING, '1,200', '是', 'W7', 'R1']);
    assert.deepEqual(en.cells[0], ['Fire extinguisher expired', 'Xiazhou Community Grid 1, Humen', 'high', '26 Jun 14:05', '1 Dec 2022', NOTHING, '1,200', 'yes', 'W7', 'R1']);
    assert.deepEqual([en.cells[1][5], en.cells[1][7]], ['26 Jun 00:00', 'no']);
    // A number is sorted as one, words as words; zero is no number that is missing.
    assert.deepEqual(zh.columns.map((c) => !!c.wordy), [true, true, true, true, true, true, false, true, true, true]);
    assert.equal(told('en', '/collections/report/items?limit=1', [{ id: 'R3', returned: 0 }]).cells[0][0], '0');
    // A step that was not made is no number or class that nobody knows.
    assert.deepEqual(told('en', '/collections/report/items?limit=1', [row, { id: 'R4' }]).cells[1].slice(2, 6), [UNKNOWN, NOTHING, NOTHING, UNKNOWN]);
    // Columns in which nothing is of any row are left out.
    assert.ok(!told('en', '/collections/report/items?limit=1', [row]).heads.includes('Resolved'));
});

test('rows of patrols: where one goes and how it stands', () => {
    const row = { lon: 113.7, lat: 22.8, id: 'H1', name: null, layer: 'house', level: 'a', address: '虎门镇一路1号', class: 'overdue', due: 3, done: 1, overdue_days: 46, last: null, grid: 'g1', village: 'v1', town: 't1' };
    const zh = told('zh-CN', '/coverage/patrol?rows=true&layer=house', [row, { ...row, address: null, name: '好店', class: 'done', overdue_days: 0, last: '2023-05-01T08:00:00+08:00' }]);
    assert.deepEqual(zh.cells, [['虎门镇一路1号', '甲级', '逾期', '46', '1 / 3', '无记录', '虎门镇霞洲社区第1网格', 'H1'], ['好店', '甲级', '已巡', NOTHING, '1 / 3', '5月1日 08:00', '虎门镇霞洲社区第1网格', 'H1']]);
    assert.deepEqual(told('en', '/coverage/patrol?rows=true&layer=house', [row]).cells[0].slice(1), ['first', 'overdue', '46', '1 / 3', 'no record', 'Xiazhou Community Grid 1, Humen', 'H1']);
    assert.match(mapOf('en', 'house', row), /^\/analyst\?lang=en#map=17\/22\.800000\/113\.700000&layer=house&layers=house&at=113\.700000,22\.800000$/);
    assert.equal(mapOf('zh-CN', 'house', { id: 'x' }), '');
});

test('answers, places and moments', () => {
    const answer = rowsOf({ numberMatched: 7, links: [{ rel: 'next', href: '/more' }], features: [{ id: 'a', geometry: { type: 'Point', coordinates: [1, 2] }, properties: { n: 1 } }] });
    assert.deepEqual([answer.total, answer.next, answer.rows[0].id, answer.rows[0].n], [7, '/more', 'a', 1]);
    assert.deepEqual(placeOf(answer.rows[0]), { lonDeg: 1, latDeg: 2 });
    assert.deepEqual(placeOf({ geometry: { type: 'Polygon', coordinates: [[[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]] } }), { lonDeg: 1, latDeg: 1 });
    assert.deepEqual(placeOf({ geometry: { type: 'LineString', coordinates: [[0, 0], [1, 3], [2, 2]] } }), { lonDeg: 1, latDeg: 3 });
    assert.equal(placeOf({}), null);
    assert.equal(rowsOf({ rows: [] }).total, null);
    assert.equal(whereOf(about('zh-CN'), { town: 't1' }), '虎门镇');
    assert.equal(momentOf('zh-CN', '2023-06-26T14:05:31+08:00', '2023-06-27T00:00:00+08:00'), '6月26日 14:05');
    assert.equal(momentOf('en', '2021-06-06', '2023-06-27'), '6 Jun 2021');
    assert.equal(momentOf('en', 'soon'), '?');
});

test('a row with units and a sentence, in this language', () => {
    const names = new Names('en', { ...catalog('en'), layers: [...catalog('en').layers.filter((l) => l.name !== 'town'), { name: 'town', unit_level: 'town', value_titles_en: { name: { 虎门镇: 'Humen' } } }] });
    assert.deepEqual(names.row({ id: 'g1', name: '霞洲社区第1网格', town: '虎门镇', text_en: '虎门镇, grid 霞洲社区第1网格: 3 reports' }, 'grid', 'text_en'),
        { id: 'g1', name: 'Xiazhou Community Grid 1', town: '虎门镇', text_en: 'Humen, grid Xiazhou Community Grid 1: 3 reports' });
    assert.equal(names.unit('grid', null, '霞洲社区第1网格'), '霞洲社区第1网格');
    names.learn(catalog('zh-CN').names);
    assert.equal(names.unit('grid', null, '霞洲社区第1网格'), 'Xiazhou Community Grid 1');
    const { results: [found] } = names.found({ results: [{ layer: 'report', id: 'r', name: '人民路', name_en: 'Renmin Rd', town: { id: 't1', name: '虎门镇' }, grid: null }] });
    assert.deepEqual([found.name, found.town.name, found.grid], ['Renmin Rd', 'Humen', null]);
});
