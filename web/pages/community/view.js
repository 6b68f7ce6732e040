/* view.js - what is seen beside the map: elements, cards, choices. */
(function (c) {
  'use strict';

  /** An element with properties, attributes and listeners (on). */
  const h = c.h = (tag, of, ...inside) => {
    const e = document.createElement(tag);
    for (const k of Object.keys(of || {})) {
      if (of[k] === undefined || of[k] === null || of[k] === false) continue;
      if (k === 'on') for (const type of Object.keys(of.on)) e.addEventListener(type, of.on[type]);
      else if (k === 'class') e.className = of[k];
      else if (k in e && !/^(aria|data|role|list|form)/.test(k)) e[k] = of[k];
      else e.setAttribute(k, of[k] === true ? '' : of[k]);
    }
    for (const one of inside) if (one !== undefined && one !== null && one !== false) e.append(one);
    return e;
  };
  /** Put these in the place of what is inside. */
  const fill = c.fill = (e, ...inside) => {
    while (e.firstChild) e.removeChild(e.firstChild);
    for (const one of inside) if (one) e.append(one);
    return e;
  };
  const {t} = c;
  const text = (tag, name, words, more) => h(tag, {class: name, textContent: words, ...more});
  const button = c.button = (words, click, of) => h('button', {type: 'button', textContent: words, on: {click}, ...of});

  /** A choice among buttons. @param {{id: string, text: string}[]} options */
  c.choices = (label, options, chosen, choose, name) => h('div', {class: name, role: 'group', 'aria-label': label},
    ...options.map((o) => button(o.text, () => choose(o.id), {class: 'chip', 'data-id': o.id, 'aria-pressed': String(o.id === chosen)})));

  /** A select with its label. @param {{id: string, text: string}[]} options */
  c.select = (id, label, options, chosen, choose, first) => h('label', {class: 'field'}, text('span', 'label', label),
    h('select', {id, on: {change: (e) => choose(e.target.value)}}, first && h('option', {value: '', textContent: first}),
      ...options.map((o) => h('option', {value: o.id, textContent: o.text, selected: o.id === chosen}))));

  /* What one may follow: only ways of the web and of the telephone. */
  const outside = (words, href, of) => /^(https?|geo):/.test(href)
    ? h('a', {href, textContent: words, target: '_blank', rel: 'noopener noreferrer', ...of}) : null;

  function routes(row, mode) {
    const [lon, lat] = row.geometry.coordinates, name = encodeURIComponent(row.native || row.title);
    const ride = mode !== 'walk';
    return h('div', {class: 'routes', hidden: true},
      outside(t('amap'), `https://uri.amap.com/navigation?to=${lon},${lat},${name}&mode=${ride ? 'ride' : 'walk'}&coordinate=wgs84`),
      outside(t('baidu'), `https://api.map.baidu.com/direction?destination=latlng:${lat},${lon}|name:${name}&mode=${ride ? 'riding' : 'walking'}&coord_type=wgs84&output=html&src=onemap`),
      outside(t('phoneMap'), `geo:${lat},${lon}?q=${lat},${lon}(${name})`),
      text('p', 'quiet small', c.state.synthetic ? `${t('leaves')} · ${t('syntheticTip')}` : t('leaves')));
  }

  const phone = (number) => /^[\d+][\d -]*$/.test(number || '') ? number : '';

  function actions(row, show, first) {
    const way = routes(row, c.state.mode), number = phone(row.properties.phone);
    const open = button(t('route'), () => {
      way.hidden = !way.hidden;
      open.setAttribute('aria-expanded', String(!way.hidden));
    }, {'aria-expanded': 'false', 'aria-label': t('routeTo', row.title)});
    if (!first) open.className = 'strong';
    return [h('div', {class: 'actions'}, first, open,
      number && h('a', {class: 'button', href: `tel:${number.replace(/\s/g, '')}`, 'aria-label': `${t('callName', row.title)} ${number}`, textContent: t('call')}),
      button(t('showOnMap'), () => show(row), {'aria-label': t('showName', row.title)})), way];
  }

  function wayText(row) {
    const p = row.properties;
    if (p.minutes !== undefined && p.minutes !== null)
      return [text('strong', '', t('ways', row.how, Math.max(1, Math.ceil(p.minutes)))), ` (${c.lengthText(p.way_m)})`];
    if (p.distance_m === undefined) return null;
    return [t('straight', c.lengthText(p.distance_m))];
  }

  /* Is it open, and how far: the two things that one goes by. */
  function openLine(row, way) {
    const week = c.readHours(row.properties.opening_hours), time = c.moment(), s = c.openState(week, time, c.state.community);
    row.open = s.state === 'open';
    return h('p', {class: 'answer'}, h('span', {class: `open ${row.open ? 'is-open' : 'is-closed'}`}, h('span', {class: 'dot', 'aria-hidden': 'true'}),
      week ? c.openText(s, time) : row.properties.opening_hours || t('unknownHours')), way);
  }

  function matterList(row) {
    const has = c.mattersOf(row);
    if (!has.length) return null;
    const wanted = c.state.matter || '', groups = c.state.groups.map((g) => ({title: c.groupName(g), list: has.filter((m) => c.state.groupOf[m] === g.id)}));
    const others = has.filter((m) => !c.state.groupOf[m]);
    if (others.length) groups.push({title: '', list: others});
    const box = h('details', {class: 'matters'}, h('summary', {textContent: t('items', has.length)}));
    box.addEventListener('toggle', () => {
      if (!box.open || box.children.length > 1) return;
      for (const g of groups.filter((one) => one.list.length))
        box.append(h('h4', {textContent: g.title}), h('ul', {}, ...g.list.map((m) => h('li', {class: m === wanted ? 'wanted' : ''}, c.matterName(m)))));
    });
    return box;
  }

  /* Each in one piece; the dots between them are drawn (community.css). */
  const facts = (...list) => {
    const all = list.filter(Boolean);
    return all.length ? h('p', {class: 'facts quiet'}, ...[].concat(...all.map((one) => [h('span', {lang: one.lang}, one.words || one), ' ']))) : null;
  };

  /** A place as a card of the list. @param {any} row a feature with title, kind and number */
  c.card = (row, show) => {
    const p = row.properties, way = wayText(row), activity = row.kind === 'activity', week = !activity && c.readHours(p.opening_hours);
    const sign = activity && outside(t('signUp'), p.signup_url || '', {class: 'button strong', 'aria-label': t('signUpFor', row.title)});
    const far = way && h('span', {class: 'way'}, ...way);
    return h('li', {class: 'card', id: `row-${row.id}`, tabIndex: -1, 'data-id': row.id},
      h('h3', {}, h('span', {class: 'badge', textContent: row.number, 'aria-hidden': 'true'}),
        h('span', {}, h('span', {textContent: row.title, lang: row.lang}), row.native && h('span', {class: 'native', lang: 'zh-CN', textContent: row.native}))),
      activity ? whenLine(p, far) : openLine(row, far),
      ...actions(row, show, sign),
      activity && facts(row.where, row.host && {words: t('host', row.host.title), lang: row.host.lang}, p.places && t('places', p.places)),
      row.kind === 'organisation' && facts(p.kind && c.kindName(p.kind)),
      facts(week && c.hoursText(week), row.kind === 'centre' && p.windows && t('windows', p.windows), row.kind === 'centre' && p.terminals && t('terminals', p.terminals), phone(p.phone) && `${t('call')} ${phone(p.phone)}`),
      matterList(row));
  };

  function whenLine(p, far) {
    const from = c.time(p.starts), to = c.time(p.ends);
    return h('p', {class: 'answer when'}, text('strong', '', from ? `${c.dateText(from)} ${c.clockText(from.minutes)}${to ? `–${c.clockText(to.minutes)}` : ''}` : ''), far);
  }
})(window.community);
