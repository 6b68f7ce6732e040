// @ts-check
// refusals.js - why the server refuses something, in plain words of both
// languages. What is not known here is told as the server says it. Pure.

/** @typedef {import('./words.js').Language} Language */

const COLUMN_TYPES = {'a category': '类别', 'a text': '文字', 'an integer': '整数', 'a real number': '数', 'a number': '数', 'a time': '时间', 'a boolean': '是否值', 'TRUE or FALSE': '是否值', 'a geometry': '几何'};
const type = (text) => COLUMN_TYPES[text] ?? text;

/** What may not be chosen. @type {Record<string, [string, string]>} */
const CHOICES = {
  filter: ['筛选', 'the filter'], with_filter: ['对比的筛选', 'the other filter'], datetime: ['时段', 'the period'], with_datetime: ['对比的时段', 'the other period'], at: ['时刻', 'the moment'],
  bandwidth: ['带宽', 'the bandwidth'], kernel: ['核函数', 'the kernel'], halflife: ['半衰期', 'the half-life'], weight: ['权重', 'the weight'], per: ['相对于什么', 'what it is per'],
};

/** By rights, or by what it costs: said in both languages. @type {[RegExp, (m: RegExpExecArray) => [string, string]][]} */
const BOTH = [
  [/^datetime: the map weighs what is about single persons, and is shown of one whole month/, () => ['这张图含有涉及个人的数据(如居民人数)。为防止用多张图推出少数人的情况,您的角色只能选一个整月(例如 2023-05)、一整年或全部时段。',
    'This map weighs what is about single persons (such as residents). So that nothing of few is found out from many maps, your role chooses one whole month (such as 2023-05), one year or all time.']],
  [/^(\w+): the map weighs what is about single persons/, ([, what]) => {
    const [zh, en] = CHOICES[what] ?? [what, what];
    return [`这张图含有涉及个人的数据(如逐次巡查、出租屋管理级别、居民人数)。为防止用两张图相减推出某一户,您的角色只能按原样查看,${zh}不能另选:请恢复默认。`,
      `This map weighs what is about single persons (each visit, levels of rental houses, residents). So that no house is found out by subtracting two maps, your role sees it as it ships: ${en} cannot be chosen, take the default.`];
  }],
  [/told of whole months that are over/, () => ['这里涉及个人的巡查,您的角色只看已结束的整月,例如 2023-05。', 'This tells of visits of single persons: your role sees whole months that are over, such as 2023-05.']],
  [/another moment than now is not for this role/, () => ['您的角色只看现在的情况,不能另选时刻。', 'Your role sees this as of now, not of another moment.']],
  [/^there is no (such thing|such picture|layer of that name|row of that id)/, () => ['没有这一项,或者您的角色看不到它。', 'There is no such thing, or your role does not see it.']],
  [/are about single persons: those in charge see them/, () => ['这里涉及个人:带令牌的主管人员才能查看。', 'This is about single persons: those in charge see it, with a token.']],
  [/^a bandwidth of ([\d.]+) m over the (\d+) rows of .* smallest that is served is ([\d.]+) m/, ([, m, rows, least]) => [`带宽 ${m} 米、${rows} 行,计算量太大:请选 ${least} 米或更大。`, `A bandwidth of ${m} m over ${rows} rows costs too much: take ${least} m or more.`]],
  [/^(\w+:[\d.]+) makes more than (\d+) cells/, ([, , n]) => [`这样的格子超过 ${n} 个:请选大一些的。`, `That makes more than ${n} cells: take larger ones.`]],
  [/^the period holds (\d+) whole steps, and emerging hotspots need (\d+) to (\d+)/, ([, n, least, most]) => [`所选时段只有 ${n} 步,时空热点需要 ${least} 到 ${most} 步(每步一天):请选更长的时段。`, `The period has ${n} steps, and emerging hotspots need ${least} to ${most} (of a day each): take a longer period.`]],
];

/** What is wrong with a condition: the server says it in English. @type {[RegExp, (m: RegExpExecArray) => string][]} */
const CHINESE = [
  [/^no column '(.*)' \(columns: (.*)\)$/, ([, name, all]) => `没有名为“${name}”的列(有:${all})`],
  [/^the filter ends where (.*) was expected$/, ([, what]) => `条件在此处结束,还缺${expected(what)}`],
  [/^(.*?) expected(?: at byte \d+)?, found (.*)$/, ([, what, found]) => `此处应为${expected(what)},却是“${found}”`],
  [/^'(.*)'(?: at byte \d+)?:? filters do no arithmetic$/, ([, what]) => `“${what}”:条件里不能做运算`],
  [/^'(.*)'(?: at byte \d+)? does not belong in a filter$/, ([, what]) => `条件里不能有“${what}”`],
  [/^(\S+) is (.*), '(.*)' is not (.*)$/, ([, name, is, value]) => `${name} 是${type(is)},“${value}”不是`],
  [/^(\S+) is (.*): what it is compared with goes in quotes/, ([, name, is]) => `${name} 是${type(is)}:与之比较的值要加单引号,例如 '值'`],
  [/^(\S+) is (.*), it cannot be compared with (.*)$/, ([, name, is, other]) => `${name} 是${type(is)},不能与${type(other)}比较`],
  [/^(\S+) is (.*) and (\S+) is (.*): they cannot be compared$/, ([, a, is, b, other]) => `${a} 是${type(is)},${b} 是${type(other)},不能比较`],
  [/^NULL equals nothing/, () => '空值不等于任何值:请写 IS NULL 或 IS NOT NULL'],
  [/^'(.*)' is no time/, ([, value]) => `“${value}”不是时间(例:2023-06-26 或 2023-06-26T14:05:31+08:00)`],
  [/^datetime is a date, a month or FROM\/TO/, () => '时段写作 2023-06-26、2023-06 或 起/止(.. 为不限)'],
];

/** @param {string} what the parser waits for */
const expected = (what) => ({'a column or a value': '列名或值', 'a value': '值', 'a column': '列名', 'AND, OR or the end': ' AND、OR 或结尾', 'a comparison': '比较符'}[what] ?? ` ${what}`);

/**
 * A refusal in plain words.
 * @param {Language} lang @param {string} message of the server @returns {string} the message itself, where nothing better is known
 */
export function refusalOf(lang, message) {
  const en = lang === 'en';
  for (const [pattern, told] of BOTH) {
    const found = pattern.exec(message);
    if (found) return told(found)[en ? 1 : 0];
  }
  if (en) return message;
  for (const [pattern, told] of CHINESE) {
    const found = pattern.exec(message);
    if (found) return told(found);
  }
  return message;
}
