/* app.js - the page: what was chosen, what is asked for, what is shown. */
(function (c) {
  'use strict';

  const {h, fill, t, button, api} = c;
  const FIRST = 3, MORE = 5, MOST = 28, OTHERS = 10, HITS = 8, PAUSE_MS = 200;
  // What is shown changes with the minute; the city behind it once a day or so,
  // and whole cities look at it: no stream, but a question with an ETag now and then.
  const TICK_MS = 60000, POLL_MS = 300000, AGAIN_MS = 60000;
  const params = new URLSearchParams(location.search), embed = document.documentElement.hasAttribute('data-embed');
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const state = c.state = {
    tab: 'matters', group: '', matter: '', kind: '', mode: '', town: '', village: '', origin: null, whenS: null, count: FIRST,
    synthetic: false, community: {}, groups: [], matters: [], groupOf: {}, english: {}, modes: [], levels: [], zoneS: 0, clockS: null, minutes: 10, rows: [],
  };
  const ui = {}, english = c.lang === 'en';
  let map = null, asking = null, chosen = '', shownAt = '', sequence = -1, unit = null, area = null;

  /* ---- what the city is */

  c.time = (iso) => iso ? c.local(Date.parse(iso) / 1000, state.zoneS) : null;
  const nowS = () => state.clockS === null ? Date.now() / 1000 : state.clockS;
  c.moment = () => c.local(state.whenS === null ? nowS() : state.whenS, state.zoneS);
  c.modeName = () => {
    const mode = state.modes.find((m) => m.id === state.mode);
    return mode ? (english ? mode.name : mode.name_zh) : '';
  };
  c.groupName = (g) => english ? g.title_en || g.title : g.title;
  c.matterName = (m) => english ? state.english[m] || m : m;
  /* In English, with the Chinese beside it; Chinese that stands alone says so. */
  c.titled = (p) => {
    const own = p.name || p.title || '', other = english ? p.name_en || p.title_en : '';
    return {title: other || own, native: other ? own : '', lang: english && !other ? 'zh-CN' : null};
  };
  c.mattersOf = (row) => String(row.properties[state.column] || '').split(';').filter(Boolean);

  function takeCity(city) {
    const about = city.community || {}, service = city.service || {}, matters = about.matters || {};
    state.title = english && city.title_en || city.title;
    state.titleLang = english && !city.title_en ? 'zh-CN' : null;
    state.synthetic = !!city.synthetic;
    state.zoneS = city.zone_s;
    state.clockS = city.clock ? Date.parse(city.clock) / 1000 : null;
    state.levels = about.levels || (city.levels || []).slice(-2);
    state.finer = (city.levels || []).filter((l) => state.levels.indexOf(l) < 0);
    state.community = about;
    state.layers = {matters: about.centres || service.layer || 'service_centre', organisations: about.organisations || 'organisation', activities: about.activities || 'activity'};
    state.modes = service.modes && service.modes.length ? service.modes : [{id: 'walk', name: 'on foot', name_zh: '步行'}];
    if (!state.modes.some((m) => m.id === state.mode)) state.mode = state.modes[0].id;
    state.minutes = service.minutes || 10;
    state.hotline = about.hotline || '12345';
    state.column = matters.column || 'matters';
    state.groups = matters.groups || [];
    state.matters = matters.list || [];
    state.variants = matters.variants;
    for (const m of state.matters) {
      state.groupOf[m.name] = m.group;
      state.english[m.name] = m.name_en;
    }
  }

  /* ---- the address: not where somebody is */

  const KEPT = ['tab', 'group', 'matter', 'kind', 'mode', 'town', 'village'];
  function readAddress() {
    const hash = new URLSearchParams(location.hash.slice(1));
    for (const k of KEPT) if (hash.get(k)) state[k] = hash.get(k);
    if (!TABS.some((tab) => tab.id === state.tab)) state.tab = 'matters';
    if (!embed) return;
    const layers = {__proto__: null, service_centre: 'matters', organisation: 'organisations', activity: 'activities'};
    const layer = params.get('layer');
    state.tab = !layer ? 'matters' : layers[layer] || Object.keys(state.layers).find((k) => state.layers[k] === layer);
    if (!state.tab) throw Object.assign(new Error(), {words: t('noLayer', layer)});
    state.town = params.get('town') || '';
    state.village = params.get('village') || '';
  }
  function keepAddress() {
    if (embed) return;
    const hash = new URLSearchParams();
    for (const k of KEPT) if (state[k] && !(k === 'tab' && state.tab === 'matters') && !(k === 'mode' && state.mode === state.modes[0].id)) hash.set(k, state[k]);
    history.replaceState(null, '', `${location.pathname}${location.search}${hash.toString() ? `#${hash}` : ''}`);
  }

  /* ---- the frame of the page */

  const TABS = [{id: 'matters', word: 'matters'}, {id: 'activities', word: 'activities'}, {id: 'organisations', word: 'organisations'}];

  function build() {
    const app = ui.app = document.getElementById('app'), other = english ? 'zh' : 'en';
    ui.say = h('p', {class: 'hidden', role: 'status'});
    ui.silence = h('p', {class: 'silence', role: 'status', hidden: true});
    ui.tabs = h('div', {class: 'tabs', role: 'group', 'aria-label': t('tabs')}, ...TABS.map((tab) => button(t(tab.word), () => go({tab: tab.id, count: FIRST}), {'data-id': tab.id})));
    ui.ask = h('section', {class: 'ask'});
    ui.from = h('section', {class: 'from', tabIndex: -1, 'aria-label': t('from')});
    ui.results = h('section', {class: 'results', id: 'list', tabIndex: -1, 'aria-label': t('list')});
    ui.map = h('div', {class: 'map-holder'});
    ui.caption = h('p', {class: 'caption', hidden: true});
    ui.foot = h('footer', {class: 'foot quiet'});
    const control = (word, sign, click, name) => button(sign, click, {class: `control ${name}`, 'aria-label': t(word), title: t(word)});
    ui.mapBox = h('section', {class: 'map-box', id: 'map', tabIndex: -1, 'aria-label': `${t('map')}: ${t('mapTip')}`}, ui.map,
      h('div', {class: 'controls', role: 'group', 'aria-label': t('map')},
        control('zoomIn', '+', () => map && map.zoom(1), 'in'), control('zoomOut', '−', () => map && map.zoom(-1), 'out'), control('whole', '⤢', () => map && map.fit(), 'whole')),
      control('north', '▲', () => map && map.pan(0, -120), 'north'), control('south', '▼', () => map && map.pan(0, 120), 'south'),
      control('west', '◀', () => map && map.pan(-120, 0), 'west'), control('east', '▶', () => map && map.pan(120, 0), 'east'),
      ui.caption,
      ui.cross = h('span', {class: 'cross', hidden: true, 'aria-hidden': 'true'}),
      ui.pick = h('div', {class: 'pick', hidden: true}, h('p', {textContent: t('pickTip')}),
        h('div', {class: 'actions'}, button(t('pickHere'), pickHere, {class: 'strong'}), button(t('cancel'), () => pick(false), {}))));
    const skip = (to, word) => h('a', {class: 'skip', href: `#${to}`, textContent: t(word), on: {click: (e) => { e.preventDefault(); visit(document.getElementById(to)); }}});
    const synthetic = state.synthetic && h('span', {class: 'synthetic', title: t('syntheticTip')}, t('synthetic'));
    const head = h('header', {class: 'top'}, h('h1', {}, h('span', {class: 'city', lang: state.titleLang, textContent: state.title}), ' ', h('span', {textContent: t('title')})), synthetic,
      embed ? h('a', {class: 'full', href: `/community?lang=${c.lang}`, target: '_blank', rel: 'noopener', textContent: t('full')})
        : h('a', {class: 'full', href: `?lang=${other}`, lang: other === 'en' ? 'en' : 'zh-CN', textContent: t('other'),
          on: {click: (e) => { e.target.href = `?lang=${other}${location.hash}`; }}}));
    fill(app, skip('list', 'skipList'), skip('map', 'skipMap'), head, ui.silence,
      h('div', {class: 'panel'}, ui.tabs, ui.ask, ui.from, ui.results, ui.foot), ui.mapBox,
      ui.jump = h('nav', {class: 'jump', 'aria-label': `${t('list')} / ${t('map')}`}, button(t('list'), () => visit(ui.results), {}), button(t('map'), () => visit(ui.mapBox), {})), ui.say);
    window.addEventListener('scroll', markPart, {passive: true});
    document.title = `${t('title')} · ${state.title}`;
  }

  const byId = (box, id) => Array.prototype.find.call(box.querySelectorAll('[data-id]'), (e) => e.getAttribute('data-id') === id);
  /* Which part one looks at. */
  function markPart() {
    const onMap = ui.mapBox.getBoundingClientRect().top < window.innerHeight / 2;
    Array.from(ui.jump.children).forEach((b, i) => b.setAttribute('aria-pressed', String(onMap === !!i)));
  }
  /** Go to a part of the page, and with it whoever uses no pointer. */
  function visit(e) {
    e.focus({preventScroll: true});
    e.scrollIntoView({behavior: still ? 'auto' : 'smooth', block: 'start'});
  }
  const say = (words) => { ui.say.textContent = ''; setTimeout(() => { ui.say.textContent = words; }, 60); };

  /* ---- what is to be done */

  function drawAsk() {
    for (const b of ui.tabs.children) b.setAttribute('aria-pressed', String(b.getAttribute('data-id') === state.tab));
    if (state.tab === 'matters') drawMatters();
    else if (state.tab === 'organisations') drawKinds();
    else fill(ui.ask);
    ui.ask.hidden = !ui.ask.firstChild;
  }

  /* A box for words and what they find. find(words): a list, or a promise of
   * one, of what to show (text, lang, note) and to do (take); null: is late. */
  function searchBox(id, label, tip, words, find) {
    const found = h('div', {class: 'found', id: `${id}-found`, hidden: true});
    const look = async () => {
      const wanted = input.value.trim();
      if (!wanted) found.hidden = true;
      const hits = wanted && await find(wanted, () => input.value.trim() === wanted);
      if (!hits) return;
      found.hidden = false;
      fill(found, hits.near && hits.length && h('p', {class: 'quiet', textContent: t('near')}), ...hits.map((hit) => h('button', {type: 'button', class: 'hit', on: {click: () => { input.value = ''; found.hidden = true; hit.take(); }}},
        h('span', {textContent: hit.text, lang: hit.lang}), hit.note && h('span', {class: 'quiet small', textContent: hit.note, lang: hit.noteLang}))),
      !hits.length && h('p', {class: 'quiet', textContent: t(words.none)}), hits.near && hotline());
      say(!hits.length ? t(words.none) : hits.near ? t('near') : t(words.some, hits.length));
      found.scrollIntoView({block: 'nearest'});
    };
    const input = h('input', {type: 'search', id, autocomplete: 'off', enterKeyHint: 'search', placeholder: tip, 'aria-describedby': found.id,
      on: {input: look, keydown: (e) => { if (e.key === 'Enter') { const first = found.querySelector('button:first-child'); if (first) first.click(); } }}});
    return [h('label', {htmlFor: id, class: label[1], textContent: label[0]}), h('div', {class: 'seek'}, input, found)];
  }

  function drawMatters() {
    if (!state.matters.length) return fill(ui.ask);
    ui.groups = h('div', {class: 'groups'});
    fill(ui.ask, ...searchBox('matter', [t('search'), 'big'], t('searchTip'), {some: 'found', none: 'noMatter'}, suggest), ui.groups);
    return drawGroups();
  }

  function drawGroups() {
    const all = state.groups.map((g) => ({id: g.id, text: c.groupName(g)}));
    if (all.slice(7).some((g) => g.id === state.group)) ui.allGroups = true;
    const row = c.choices(t('often'), all.slice(0, ui.allGroups ? 99 : 7), state.group, (id) => go({group: id === state.group ? '' : id, matter: '', count: FIRST}), 'chips');
    if (all[7] && !ui.allGroups) row.append(button(t('all'), () => { ui.allGroups = true; drawGroups(); ui.groups.querySelectorAll('.chip')[7].focus(); }, {class: 'chip more', 'aria-expanded': 'false'}));
    const inGroup = state.matters.filter((m) => m.group === state.group).map((m) => ({id: m.name, text: c.matterName(m.name)}));
    fill(ui.groups, state.matter && h('p', {class: 'wanted'}, h('span', {textContent: c.matterName(state.matter)}), button(`× ${t('clear')}`, () => go({matter: '', group: '', count: FIRST}, document.getElementById('matter')), {class: 'plain'})), row,
      inGroup.length && c.choices(c.groupName(state.groups.find((g) => g.id === state.group) || {title: ''}), inGroup, state.matter, (id) => go({matter: id === state.matter ? '' : id, count: FIRST}), 'chips fine'));
  }

  const hotline = () => h('p', {class: 'hotline'}, h('a', {class: 'button', href: `tel:${state.hotline}`, textContent: t('hotline', state.hotline)}));
  function suggest(words) {
    const found = c.findMatters(state.groups, state.matters, words, state.variants);
    return Object.assign(found.slice(0, HITS).map(({matter: m, by}) => ({text: c.matterName(m.name), note: by !== m.name && by !== m.name_en && by, take: () => go({matter: m.name, group: m.group, count: FIRST}, ui.results)})), {near: found.near});
  }

  async function drawKinds() {
    const layer = state.layers.organisations;
    try {
      const found = ui.kinds || (ui.kinds = await api.groups(layer, 'kind'));
      if (state.tab !== 'organisations') return;
      const kinds = found.groups.filter((g) => g.id).map((g) => ({id: g.id, text: c.kindName(g.id)}));
      fill(ui.ask, c.choices(t('kinds'), [{id: '', text: t('allKinds')}].concat(kinds), state.kind, (id) => go({kind: id, count: FIRST}), 'chips'));
      ui.ask.hidden = false;
    } catch (e) {
      fill(ui.ask);
    }
  }

  /* ---- where from, how, when */

  const townLayer = () => state.levels[state.levels.length - 1], villageLayer = () => state.levels.length > 1 ? state.levels[0] : null;
  const unitText = (g) => (english && g.name_en ? `${g.name_en} ${g.name}` : g.name) || g.id;
  let towns = null, villages = null;

  async function readTowns() {
    if (towns || !townLayer()) return;
    const found = await api.groups(state.layers.matters, townLayer());
    towns = found.groups.filter((g) => g.id).map((g) => ({...g, text: unitText(g)}));
    const byName = towns.find((one) => one.name === state.town);
    if (byName) state.town = byName.id;
  }
  async function nameVillages() {
    if (villages || !villageLayer()) return;
    const found = await api.groups(state.layers.matters, villageLayer());
    villages = {};
    for (const g of found.groups) if (g.id) villages[g.id] = g;
  }
  async function readVillages(town) {
    if (!villageLayer() || !town) return [];
    await nameVillages();
    const of = await api.groups(villageLayer(), 'id', `${townLayer()} = ${c.quote(town)}`);
    return of.groups.filter((g) => g.id).map((g) => ({id: g.id, text: unitText(villages[g.id] || g)}));
  }

  function drawFrom() {
    const ready = !!state.origin && !ui.changing;
    ui.app.classList.toggle('has-origin', ready);
    if (ready) {
      fill(ui.from, h('h2', {class: 'hidden', textContent: t('from')}),
        h('p', {class: 'origin'}, h('span', {class: 'here', 'aria-hidden': 'true'}), h('span', {textContent: state.origin.label, lang: state.origin.lang}),
          button(t('change'), () => { ui.changing = true; drawFrom(); const first = ui.from.querySelector('.choose button, .choose input'); if (first) first.focus(); }, {class: 'plain', 'aria-label': `${t('change')}: ${state.origin.label}`})),
        h('div', {class: 'row how'}, c.choices(t('mode'), state.modes.map((m) => ({id: m.id, text: english ? m.name : m.name_zh})), state.mode, (id) => go({mode: id}), 'chips seg'), drawWhen()));
      return;
    }
    const units = h('div', {class: 'row units'});
    const locate = !embed && navigator.geolocation && button(ui.locating ? t('locating') : t('locate'), findMe, {class: 'strong', disabled: !!ui.locating});
    fill(ui.from, h('h2', {textContent: t('from')}),
      h('div', {class: 'choose'}, h('div', {class: 'row'}, ...[locate, button(t('pick'), () => pick(true), {})].filter(Boolean)),
        ...searchBox('place', [t('place'), 'label'], t('placeTip'), {some: 'results', none: 'noPlace'}, findPlaces), units,
        h('p', {class: 'quiet small', textContent: ui.problem || t('private'), id: 'from-note', role: ui.problem ? 'alert' : null})));
    drawUnits(units);
  }

  /* Of what the server finds, what one can start from. */
  async function findPlaces(words, wanted) {
    await new Promise((done) => { setTimeout(done, PAUSE_MS); });
    if (!wanted()) return null;
    const found = await api.search({q: words, limit: 3 * HITS}).catch(() => ({results: []}));
    if (!wanted()) return null;
    return found.results.filter((r) => r.id !== null && isFinite(r.lon) && state.finer.indexOf(r.kind) < 0).slice(0, HITS).map((r) => {
      const named = c.titled(r), of = [r.village, r.town].map((u) => u && u.name !== r.name && u.name).filter(Boolean).reverse().join(' ');
      return {text: named.title, lang: named.lang, note: [named.native, of].filter(Boolean).join(' · '), noteLang: english ? 'zh-CN' : null, take: () => {
        if (state.levels.indexOf(r.kind) < 0) return start([r.lon, r.lat], named.title, false, named.lang);
        state.town = r.kind === townLayer() ? r.id : r.town ? r.town.id : '';
        state.village = r.kind === townLayer() ? '' : r.id;
        return chooseUnit(r.kind, r.id);
      }};
    });
  }

  async function drawUnits(box) {
    try {
      await readTowns();
      const villages = await readVillages(state.town);
      if (!towns) return;
      fill(box, c.select('town', t('town'), towns, state.town, (id) => { state.town = id; state.village = ''; ui.changing = true; ui.refocus = 'town'; drawFrom(); chooseTown(id); }, t('chooseTown')),
        villageLayer() && c.select('village', t('village'), villages, state.village, (id) => { state.village = id; chooseUnit(villageLayer(), id); }, t('chooseVillage')));
      if (box.querySelector('#village')) box.querySelector('#village').disabled = !state.town;
      if (ui.refocus) {
        const again = document.getElementById(ui.refocus);
        ui.refocus = '';
        if (again) again.focus();
      }
    } catch (e) {
      fill(box, h('p', {class: 'quiet', textContent: t('noData')}));
    }
  }

  const nowText = () => {
    const now = c.local(nowS(), state.zoneS);
    return t('nowAt', `${c.dayName(now.weekday)} ${c.clockText(now.minutes)}`);
  };
  function drawWhen() {
    const now = c.local(nowS(), state.zoneS), day = 86400;
    const at = (after, hour) => nowS() - now.minutes * 60 - (nowS() % 60) + after * day + hour * 3600;
    const saturday = (6 - now.weekday + 7) % 7;
    const label = (after, word) => { const d = c.local(nowS() + after * day, state.zoneS); return `${after === 0 ? t('today') : after === 1 ? t('tomorrow') : c.dateText(d)} ${t(word)}`; };
    const options = [{id: '', text: nowText()}];
    const add = (after, hour, word) => { if (at(after, hour) > nowS()) options.push({id: String(at(after, hour)), text: label(after, word)}); };
    add(0, 10, 'am');
    add(0, 15, 'pm');
    add(1, 10, 'am');
    if (saturday > 1) add(saturday, 10, 'am');
    return c.select('when', t('when'), options, state.whenS === null ? '' : String(state.whenS), (v) => { state.whenS = v === '' ? null : +v; drawRows(); });
  }

  function middle(geometry) {
    const [w, s, e, n] = c.boundsOf({places: [], area: geometry});
    return [(w + e) / 2, (s + n) / 2];
  }

  async function chooseUnit(layer, id) {
    if (!id) return;
    try {
      const row = await api.item(layer, id);
      // Somewhere else may have been chosen meanwhile.
      if (!row || !row.geometry || (layer === villageLayer() ? state.village : state.town) !== id) return;
      unit = row.geometry;
      const named = c.titled(row.properties);
      start(middle(row.geometry), t('centreOf', named.title || id), true, named.lang);
    } catch (e) {
      problem(t('noData'));
    }
  }

  async function chooseTown(id) {
    if (!villageLayer()) return chooseUnit(townLayer(), id);
    const row = id && await api.item(townLayer(), id).catch(() => null);
    if (!row || !row.geometry || state.town !== id || state.village || !map) return undefined;
    map.show({places: [], here: null, area: null, outline: row.geometry});
    return map.fit();
  }

  /* While the page opens nothing takes the focus: a frame would take it from the
     page around it, and scroll that. */
  /* To about ten metres. */
  const rounded = (x) => Math.round(x * 1e4) / 1e4;
  function start(at, label, ofUnit, lang) {
    if (!ofUnit) {
      unit = null;
      state.town = state.village = '';
    }
    state.origin = {at: at.map(rounded), label, lang};
    ui.changing = ui.locating = false;
    ui.problem = '';
    drawFrom();
    // What was pressed is gone: whoever uses no pointer goes on at what is found.
    if (ui.opened && document.activeElement === document.body) ui.results.focus({preventScroll: true});
    go({count: FIRST});
  }
  function problem(words) {
    ui.problem = words;
    ui.changing = true;
    ui.locating = false;
    ui.refocus = ui.opened ? 'town' : '';
    drawFrom();
  }

  function findMe() {
    ui.locating = true;
    drawFrom();
    navigator.geolocation.getCurrentPosition((found) => {
      if (!ui.locating) return;
      ui.locating = false;
      const {longitude, latitude} = found.coords, [w, s, e, n] = state.box;
      if (longitude < w || longitude > e || latitude < s || latitude > n) problem(t('locateFar'));
      else start([longitude, latitude], t('myPlace'), false);
    }, () => ui.locating && problem(t('locateNo')), {enableHighAccuracy: true, timeout: 10000, maximumAge: 60000});
  }

  function pick(on) {
    if (!map) return;
    ui.pick.hidden = ui.cross.hidden = !on;
    if (on) {
      visit(ui.mapBox);
      ui.pick.querySelector('button').focus({preventScroll: true});
    } else visit(ui.from);
  }
  function pickHere() {
    ui.pick.hidden = ui.cross.hidden = true;
    start(map.centre(), t('picked'), false);
    visit(ui.results);
  }

  /* ---- asking */

  const like = (column, m) => {
    const one = m.replace(/[%_\\]/g, '');
    return `(${column} = ${c.quote(one)} OR ${column} LIKE ${c.quote(`${one};%`)} OR ${column} LIKE ${c.quote(`%;${one}`)} OR ${column} LIKE ${c.quote(`%;${one};%`)})`;
  };
  function filterOf() {
    if (state.tab === 'organisations') return state.kind ? `kind = ${c.quote(state.kind)}` : '';
    if (state.tab === 'activities') return `starts >= TIMESTAMP('${new Date(c.moment().utcS * 1000).toISOString().slice(0, 19)}Z')`;
    if (state.matter) return like(state.column, state.matter);
    const list = state.group ? state.matters.filter((m) => m.group === state.group) : [];
    return list.map((m) => `${state.column} LIKE ${c.quote(`%${m.name.replace(/[%_\\]/g, '')}%`)}`).join(' OR ');
  }
  /* In which town and village, and whether where its host is. */
  function whereText(f, host) {
    const units = state.levels.slice(0, 2).map((l) => (l === townLayer() ? (towns || []).find((g) => g.id === f.properties[l]) : (villages || {})[f.properties[l]]))
      .filter(Boolean).map((g) => (english && g.name_en) || g.name || g.id);
    return units.length ? t('where', english ? units.join(', ') : units.reverse().join(' '), host && String(host.at) === String(f.geometry.coordinates)) : '';
  }
  const KIND = {matters: 'centre', activities: 'activity', organisations: 'organisation'};

  async function hosts(rows) {
    const ids = rows.map((r) => r.properties.organisation).filter((id, i, all) => id && all.indexOf(id) === i);
    if (!ids.length) return {};
    const found = await api.items(state.layers.organisations, {filter: `id IN (${ids.map(c.quote).join(',')})`, limit: 100}).catch(() => ({features: []}));
    const of = {};
    for (const f of (found || {features: []}).features) of[f.id] = {...c.titled(f.properties), at: f.geometry && f.geometry.coordinates};
    return of;
  }

  /* How many are wanted: of centres a few, of all else some more. */
  const counted = () => state.count + (state.tab === 'matters' ? 0 : OTHERS - FIRST);
  async function ask() {
    if (asking) {
      asking.over = true;
      if (asking.abort) asking.abort();
    }
    const mine = asking = {over: false}, how = c.modeName(), layer = state.layers[state.tab], origin = state.origin;
    const activity = state.tab === 'activities', count = counted();
    if (!origin && !activity) {
      state.rows = [];
      area = asking = null;
      ui.results.removeAttribute('aria-busy');
      drawRows();
      return;
    }
    ui.results.setAttribute('aria-busy', 'true');
    drawRows();
    try {
      const where = origin && {lon: origin.at[0], lat: origin.at[1], mode: state.mode};
      const [found, reach, near] = await Promise.all([
        origin ? api.nearest(layer, {...where, k: count, filter: filterOf()}, mine)
          : api.items(layer, {filter: filterOf(), sortby: 'starts', limit: count}, mine),
        origin && !activity ? api.reach({...where, minutes: state.minutes}, mine) : null,
        origin && state.tab === 'matters' ? api.nearest(layer, {...where, k: 200, minutes: state.minutes, filter: filterOf(), properties: 'id'}, mine) : null]);
      if (mine.over || !found) return;
      const rows = found.features.filter((f) => f.geometry);
      const [host] = activity ? await Promise.all([hosts(rows), readTowns().catch(() => null), nameVillages().catch(() => null)]) : [{}];
      if (mine.over) return;
      state.rows = rows.map((f, i) => {
        const by = host[f.properties.organisation];
        return {...f, ...c.titled(f.properties), number: i + 1, how, kind: KIND[state.tab], host: by, where: activity && whereText(f, by)};
      });
      state.off = !!found.off;
      state.near = near ? near.features.filter((f) => f.properties.minutes !== null).length : 0;
      area = reach && reach.geometry ? reach.geometry : null;
      state.failed = null;
    } catch (error) {
      if (mine.over) return;
      state.rows = [];
      area = null;
      state.failed = error;
    }
    if (asking === mine) asking = null;
    ui.results.removeAttribute('aria-busy');
    shownAt = c.clockText(c.local(Date.now() / 1000, state.zoneS).minutes);
    drawRows(true);
    drawMap(true);
    if (!state.failed) say(t('results', state.rows.length));
  }

  /** Something else is wanted. */
  function go(what, focus) {
    Object.assign(state, what);
    keepAddress();
    drawAskKeepingFocus();
    ask();
    // Without a start there is nothing to look at yet.
    if (focus) visit(focus === ui.results && !state.origin ? ui.from : focus);
  }
  function drawAskKeepingFocus() {
    const at = document.activeElement, id = at && at.getAttribute && at.getAttribute('data-id'), box = at && at.closest && at.closest('.ask, .from');
    drawAsk();
    drawFrom();
    if (id === null || !box) return;
    const again = byId(box === ui.ask ? ui.ask : ui.from, id);
    if (again) again.focus();
  }

  /* ---- what was found */

  function titleText() {
    if (state.tab === 'activities') return t(state.origin ? 'activitiesNear' : 'activitiesTitle');
    if (state.tab === 'organisations') return t('organisationsTitle');
    const group = state.groups.find((g) => g.id === state.group);
    const wanted = state.matter ? c.matterName(state.matter) : group ? c.groupName(group) : '';
    return wanted ? t('nearestDo', wanted) : t('nearestTitle');
  }
  function noneText() {
    if (state.tab === 'activities') return t('noActivities');
    if (state.tab === 'organisations') return t('noOrganisations');
    return state.matter ? t('noneDo', c.matterName(state.matter)) : t('none');
  }

  function reachText() {
    if (state.tab !== 'matters' || !state.origin || state.off || !area) return null;
    return state.near ? t('within', state.minutes, c.modeName(), state.near) : t('withinNone', state.minutes, c.modeName(), state.group);
  }

  /* In words of ours; what the server said is for who mends it. */
  const failure = (error) => [h('p', {class: 'error', role: 'alert', textContent: error.words || t('failed')}),
    !error.words && h('p', {class: 'quiet small', lang: 'en', textContent: error.message || String(error)})].filter(Boolean);

  function drawRows(found) {
    const busy = ui.results.hasAttribute('aria-busy'), idle = !state.origin && state.tab !== 'activities';
    const open = {};
    for (const d of ui.results.querySelectorAll('details[open]')) open[d.closest('.card').getAttribute('data-id')] = true;
    const focused = document.activeElement && ui.results.contains(document.activeElement) ? document.activeElement.closest('.card') : null;
    const list = h('ol', {class: `cards${busy ? ' is-busy' : ''}`}, ...state.rows.map((row) => c.card(row, showRow)));
    if (busy && !state.rows.length) for (let i = 0; i < FIRST; i++) list.append(h('li', {class: 'card blank', 'aria-hidden': 'true'}));
    const more = (state.origin || state.tab === 'activities') && !busy && state.rows.length >= counted() && state.count < MOST;
    fill(ui.results, h('h2', {textContent: titleText()}),
      idle ? h('p', {class: 'lead', textContent: t('first')}) : busy ? h('p', {class: 'quiet', textContent: t('loading')})
        : state.failed ? h('div', {class: 'lead'}, ...failure(state.failed), button(t('retry'), ask, {class: 'strong'}))
          : !state.rows.length ? h('p', {class: 'lead', textContent: noneText()})
            : h('p', {class: 'quiet', textContent: state.off ? t('offRoad') : reachText() || ''}),
      !idle && list, more && button(t('more'), () => { state.count += MORE; ask(); }, {class: 'wide'}),
      !busy && hotline());
    for (const id of Object.keys(open)) {
      const card = document.getElementById(`row-${id}`), d = card && card.querySelector('details');
      if (d) d.open = true;
    }
    if (focused && document.getElementById(focused.id)) document.getElementById(focused.id).focus({preventScroll: true});
    if (chosen) markChosen();
    markPart();
    if (found) drawFoot();
    else if (!busy) drawMap(false);
  }

  function drawFoot() {
    const as = state.clockS === null ? t('asOf', shownAt) : t('clock', `${c.dateText(c.local(state.clockS, state.zoneS))} ${c.clockText(c.local(state.clockS, state.zoneS).minutes)}`);
    fill(ui.foot, h('p', {}, state.synthetic && h('span', {class: 'synthetic'}, `${t('synthetic')} · ${t('syntheticTip')}`)), h('p', {textContent: as}));
  }

  /* ---- list and map agree */

  function markChosen() {
    for (const e of document.querySelectorAll('.card[data-id], .mark[data-id]')) {
      const is = e.getAttribute('data-id') === chosen;
      e.classList.toggle('is-chosen', is);
      if (is) e.setAttribute('aria-current', 'true');
      else e.removeAttribute('aria-current');
    }
  }
  function showRow(row) {
    chosen = row.id;
    markChosen();
    visit(ui.mapBox);
    if (!map) return;
    map.choose(row.id);
    const mark = byId(ui.map, row.id);
    if (mark) mark.focus({preventScroll: true});
  }
  function chooseMark(id) {
    chosen = id;
    markChosen();
    const card = document.getElementById(`row-${id}`);
    if (card) visit(card);
  }

  function drawMap(fit) {
    const word = state.origin && area ? t('circle', state.minutes, c.modeName()) : '';
    ui.caption.hidden = !word;
    fill(ui.caption, h('span', {class: 'swatch', 'aria-hidden': 'true'}), word);
    if (!map) return;
    map.show({places: state.rows, here: state.origin && state.origin.at, hereName: t('here'), area, outline: state.origin ? unit : null});
    if (fit && !ui.held) map.fit();
    if (fit) ui.held = false;
    if (chosen) markChosen();
  }

  async function drawFirstMap() {
    const wanted = params.get('theme');
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    if (wanted === 'dark' || wanted === 'light') document.documentElement.setAttribute('data-theme', wanted === 'dark' ? '' : 'light');
    const dark = () => wanted === 'dark' || (wanted !== 'light' && scheme.matches);
    const box = state.box, center = embed && (params.get('center') || '').split(',').map(Number);
    const view = center && center.length === 2 && center.every(isFinite) ? [center[0], center[1], Math.min(19, Math.max(8, Number(params.get('zoom')) || 14))] : null;
    try {
      map = await c.makeMap(ui.map, {box, view, dark: dark(), layer: state.layers.matters, still, chosen: chooseMark, kind: embed ? 'leaflet' : (params.get('map') || '').replace('gl', 'maplibre')});
      ui.map.setAttribute('data-kind', map.kind);
      if (scheme.addEventListener) scheme.addEventListener('change', () => map.theme(dark()));
      window.addEventListener('resize', () => map.resize());
    } catch (e) {
      fill(ui.map, h('p', {class: 'notice', textContent: t('noMap')}));
    }
    ui.held = !!view && params.has('zoom');  // until something is chosen
    if (view && !state.origin) start(view.slice(0, 2), t('around'), false);
    else drawMap(!!state.origin);
  }

  /* ---- as time goes by */

  c.onConnection((down) => {
    if (!ui.silence) return;
    ui.silence.hidden = !down;
    ui.silence.textContent = !down ? '' : shownAt ? t('offlineSince', shownAt) : t('offline');
    document.documentElement.classList.toggle('is-offline', down);
    if (!down) say(t('back'));
  });
  let polled = Date.now(), words = '';
  async function poll() {
    polled = Date.now();
    const city = await api.city().catch(() => null);
    if (!city) return;
    const changed = sequence >= 0 && city.sequence !== sequence;
    sequence = city.sequence;
    takeCity(city);
    if (changed && !asking) ask();
  }
  /* Doors open and close while one looks. */
  function tick() {
    if (document.hidden) return;
    if (Date.now() - polled >= POLL_MS * (0.9 + Math.random() / 5)) poll();
    const now = nowText(), first = ui.from.querySelector('#when option');
    if (now === words) return;
    words = now;
    if (first) first.textContent = now;
    if (!asking && state.rows.length && state.whenS === null) drawRows();
  }
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && Date.now() - polled >= AGAIN_MS) poll();
    tick();
  });

  async function open() {
    document.documentElement.lang = english ? 'en' : 'zh-CN';
    const old = document.getElementById('old');
    fill(old, h('p', {textContent: t('loading')}));
    c.onConnection((down) => { if (!ui.say) fill(old, h('p', {role: 'status', textContent: down ? t('offline') : t('loading')})); });
    const [city, base] = await Promise.all([api.city(), c.get('/tiles/base.json', {}).catch(() => null)]);
    takeCity(city);
    sequence = city.sequence;
    state.box = base && base.bounds ? base.bounds : [113.5, 22.6, 114.3, 23.2];
    readAddress();
    build();
    drawFoot();
    drawAsk();
    drawFrom();
    await drawFirstMap();
    if (state.village) await chooseUnit(villageLayer(), state.village);
    else if (!state.origin && state.town && embed) {
      await readTowns();
      await chooseUnit(townLayer(), state.town);
    }
    if (!state.origin) ask();
    ui.opened = true;
    words = nowText();
    setInterval(tick, TICK_MS);
  }

  open().catch((error) => {
    const old = document.getElementById('old');
    if (old) fill(old, ...failure(error), button(t('retry'), () => location.reload(), {class: 'strong'}));
  });
})(window.community);
