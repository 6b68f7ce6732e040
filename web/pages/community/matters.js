/* matters.js - a matter by what people call it: its name, its everyday words
 * (aliases of publish.json), its group, in letters or in pinyin; nearest first. */
(function (c) {
  'use strict';

  const SURE = 0.5, NEAR = 0.17, NEARS = 4;
  // Words that say nothing of the matter.
  const EMPTY = /^(an?|the|to|my|i|of|for|in|on|and|is|need|want|how|do|get|please)$/;

  /* Characters that stand for others: 證 for 证. */
  let plainOf = {};
  const simplified = (text) => text.replace(/[\u4e00-\u9fff]/g, (one) => plainOf[one] || one);

  const tidy = (text) => simplified(text).normalize('NFKD').toLowerCase().replace(/[\u0300-\u036f'’]/g, '').replace(/[^a-z0-9\u3400-\u9fff]+/g, ' ').trim();
  const isHan = (text) => /[\u3400-\u9fff]/.test(text);
  const pairs = (text) => Array.from(text).slice(1).map((b, i) => text[i] + b);
  const share = (list, has) => list.length ? list.filter(has).length / list.length : 0;

  const pairsIn = (text, other) => share(pairs(text), (p) => other.includes(p));

  /* Of 1, how much of what was typed stands in a term. */
  function hanLike(words, term) {
    if (term.includes(words)) return 0.85 + 0.1 * words.length / term.length;
    if (term.length > 1 && words.includes(term)) return 0.8 + 0.1 * term.length / words.length;
    // In another order: 工资被拖欠 is 拖欠工资.
    if (term.length > 3 && Array.from(term).every((one) => words.includes(one))) return 0.6;
    return 0.3 * pairsIn(words, term) + 0.3 * share(Array.from(words), (one) => term.includes(one));
  }
  function wordLike(word, other) {
    if (other.startsWith(word)) return 0.95;
    if (other.length > 3 && 5 * other.length >= 3 * word.length && word.startsWith(other)) return 0.85;
    const like = pairsIn(word, other) * pairsIn(other, word);
    return like > 0.5 ? 0.8 * like : 0;
  }
  function latinLike(words, term) {
    const all = words.split(' '), few = all.filter((w) => !EMPTY.test(w)), wanted = few.length ? few : all;
    return 0.95 * wanted.reduce((sum, w) => sum + Math.max(...term.split(' ').map((other) => wordLike(w, other))), 0) / wanted.length;
  }
  /* As many say it: z for zh, c for ch, s for sh, l for n, an for ang. */
  const blurred = (letters) => letters.replace(/([zcs])h/g, '$1').replace(/ng*/g, 'l');
  /* Begins b with a but for one letter: another, one too many, one missing, two exchanged? */
  function slipped(a, b) {
    let i = 0;
    while (a[i] && a[i] === b[i]) i++;
    const on = (from, to) => b.startsWith(a.slice(i + from), i + to);
    return on(1, 1) || on(1, 0) || on(0, 1) || a[i] === b[i + 1] && a[i + 1] === b[i] && on(2, 2);
  }
  /* Typed without blanks, from any syllable on, or by first letters. */
  function soundLike(letters, {ends, blurs, first}) {
    const at = ends.findIndex((s) => s.startsWith(letters)), said = blurred(letters);
    if (at >= 0) return at ? 0.75 : 0.85;
    if (said.length > 3 && blurs.some((s) => s.startsWith(said))) return 0.58;
    if (letters.length > 2 && first.startsWith(letters)) return 0.55;
    return letters.length > 5 && ends.some((s) => slipped(letters, s)) ? 0.4 : 0;
  }

  const termsOf = (one) => one.terms || (one.terms = [one.name || one.title, one.name_en || one.title_en].concat(one.aliases).filter(Boolean)
    .map((text) => ({text, plain: tidy(text)})));
  const soundsOf = (one) => one.sounds || (one.sounds = (one.pinyin || '').split(';').map((text) => {
    const all = text.split(' '), ends = all.map((s, i) => all.slice(i).join(''));
    return {ends, blurs: ends.map(blurred), first: all.map((s) => s[0]).join('')};
  }));

  /**
   * variants: "證证醫医", characters and what they stand for.
   * Of a city's groups and matters those that are meant, the likeliest first:
   * [{matter, by: the term}]; `near`: only similar ones, a few.
   */
  c.findMatters = (groups, matters, typed, variants) => {
    plainOf = {};
    for (let i = 0; i + 1 < (variants || '').length; i += 2) plainOf[variants[i]] = variants[i + 1];
    const words = tidy(typed), han = isHan(words), joined = words.replace(/ /g, ''), letters = joined.replace(/v/g, 'u');
    if (!joined) return [];
    const found = matters.map((matter, at) => {
      let value = 0, by = '';
      const take = (like, text) => { if (like > value) { value = like; by = text; } };
      const look = (one, part) => {
        for (const {text, plain} of termsOf(one))
          if (han === isHan(plain)) take(part * (plain === words ? 1 : han ? hanLike(joined, plain) : latinLike(words, plain)), text);
        if (!han && letters.length > 1) for (const s of soundsOf(one)) take(part * soundLike(letters, s), matter.name);
      };
      look(matter, 1);
      // Of those alike that one is first that is called so, or has more of what was typed.
      const more = 0.04 * share(Array.from(joined), (one) => termsOf(matter).some(({plain}) => (plain.length > 1 && joined.includes(plain) ? plain : by).includes(one))) + (tidy(matter.name).includes(joined) ? 0.04 : 0);
      look(groups.find((g) => g.id === matter.group) || {}, 0.9);
      return {matter, at, value, by, more: han ? more : 0};
    }).filter((m) => m.value >= NEAR).sort((a, b) => b.value + b.more - a.value - a.more || a.at - b.at);
    const best = found.length ? found[0].value : 0;
    return best >= SURE ? found.filter((m) => m.value >= Math.max(SURE, Math.min(best, 0.95) - 0.15)) : Object.assign(found.slice(0, NEARS), {near: true});
  };
})(window.community);
