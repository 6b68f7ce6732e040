// @ts-check
// words.js - what the analyst's page says, in two languages, and numbers and
// dates as each writes them. Pure.

import {columnTitle} from '../columns.js';
import {MONTHS} from '../text.js';
import {count, title} from '../wall/words.js';

/** @typedef {'zh-CN' | 'en'} Language */

const WORDS = {
  page: ['研判', 'Analyst'], skip: ['跳到结果', 'Skip to results'], search: ['找地址和名称', 'Find an address or a name'], search_hint: ['地址、名称、拼音', 'Address, name, pinyin'],
  synthetic: ['合成数据', 'Synthetic data'], as_of: ['数据截至', 'Data as of'], light: ['浅色', 'Light'], dark: ['深色', 'Dark'], other_language: ['English', '中文'], help: ['帮助', 'Help'], sequence: ['数据序号', 'data sequence'],
  query: ['查询', 'Query'], map: ['地图', 'Map'], period: ['时段', 'Period'], result: ['结果', 'Result'], results: ['结果的视图', 'Views of the result'],
  layers: ['图层', 'Layers'], subject: ['研究的图层', 'Rows asked about'], drawn: ['地图上', 'On the map'], add: ['添加', 'Add'], up: ['上移', 'Move up'], down: ['下移', 'Move down'], remove: ['移除', 'Remove'], opacity: ['不透明度', 'Opacity'],
  heat: ['热力', 'Heat'], choropleth: ['分级设色', 'Choropleth'], hotspots: ['热点检验', 'Hotspots'], coverage: ['覆盖', 'Coverage'], rows_of: ['{name}', '{name}'],
  filter: ['筛选', 'Filter'], filter_text: ['CQL2 条件', 'CQL2 condition'], apply: ['应用', 'Apply'], clear: ['清除', 'Clear'], example: ['例', 'e.g.'], more: ['全部 {n} 项', 'All {n}'], fewer: ['收起', 'Fewer'], from: ['从', 'From'], to: ['到', 'To'], other_conditions: ['其他条件', 'Other conditions'],
  yes: ['是', 'yes'], no: ['否', 'no'], none: ['无', 'none'], no_value: ['(空)', '(no value)'], no_values: ['没有取值', 'No values'],
  model: ['热力模型', 'Field'], density: ['{name}密度', 'Density of {name}'], kernel: ['核函数', 'Kernel'], bandwidth: ['带宽', 'Bandwidth'], own: ['默认', 'Default'], halflife: ['半衰期(天)', 'Half-life, days'], weight: ['权重', 'Weight'], each_one: ['每条计 1', 'each row 1'], per: ['相对于', 'Per'],
  area: ['每平方公里', 'km²'], quartic: ['四次', 'Quartic'], gaussian: ['高斯', 'Gaussian'], epanechnikov: ['Epanechnikov', 'Epanechnikov'], model_filter: ['模型有自己的数据,筛选只作用于表格和其他图层。', 'A model has its own rows: the filter acts on tables and other layers.'],
  units: ['单元', 'Units'], hexagons: ['六边形 {n} 米', 'Hexagons {n} m'], squares: ['方格 {n} 米', 'Squares {n} m'], stat: ['数值', 'Number'], count: ['数量', 'Count'], sum: ['合计', 'Sum'], rate: ['比率', 'Rate'], column: ['列', 'Column'],
  gistar: ['Gi* 冷热点', 'Gi* hot and cold'], moran: ['局部莫兰', "Local Moran's I"], emerging: ['时空热点', 'Emerging'], eb: ['经验贝叶斯', 'Empirical Bayes'], dbscan: ['DBSCAN 聚类', 'DBSCAN clusters'], statistic: ['统计量', 'Statistic'],
  patrol: ['巡查', 'Patrols'], workload: ['工作量', 'Workload'], service: ['服务可达', 'Service reach'], partition: ['网格划分', 'Partition'], site: ['选址', 'Sites'], question: ['问题', 'Question'],
  rows: ['{n} 行', '{n} rows'], of_rows: ['/ {n} 行', 'of {n} rows'], ranking: ['排名', 'Ranking'], profile: ['画像', 'Profile'], export: ['导出', 'Export'], table: ['排名表', 'Ranking'], why: ['此处为何', 'Why here'], name: ['名称', 'Name'], share: ['占比', 'Share'], by: ['{title} · 按{unit}', '{title} by {unit}'], whole_city: ['全市', 'Whole city'],
  week: ['近7天', '7 days'], month: ['近30天', '30 days'], half_year: ['近180天', '180 days'], all: ['全部', 'All'], drag: ['拖动柱形选时段,方向键移动', 'Drag over the bars; arrow keys move it'], drag_release: ['拖动柱形选时段,松开后更新地图', 'Drag over the bars; the map follows when you let go'], on_release: ['停下后更新:{names}', 'Follows when it rests: {names}'], behind: ['停下后更新', 'Follows when it rests'], the_numbers: ['表格与数字', 'tables and numbers'], stepped: ['{from} 至 {to} · {n}', '{from} to {to}: {n}'], no_time: ['此图层没有时间', 'This layer has no times'], persons: ['个人位置仅按单元计数', 'Persons: counts by unit only'],
  not_sure: ['不显著', 'n.s.'], date_form: ['年-月-日', 'YYYY-MM-DD'], calendar: ['选日期', 'Choose a date'], cells_shown: ['画出最显著的 {n} 个,共 {all} 个', 'The {n} most significant of {all} are drawn'], nothing_there: ['无记录', 'no rows'],
  side_of: ['一侧', 'Side'], clusters_of: ['A 侧 {a} 个聚类,B 侧 {b} 个', 'A has {a} clusters, B {b}'], z_change: ['A 的 z 减 B 的 z', 'z of A less z of B'], classes_changed: ['{all} 个中 {n} 个类别不同', '{n} of {all} have another class'], same_sides: ['此项没有时段,两侧相同。', 'This is of no period: both sides are the same.'], points: ['百分点', 'percentage points'],
  all_equal: ['均为 {n}', 'all {n}'], held_scale: ['图例不变 · 任意 {n} 天', 'one legend, {n} days'], hold_scale: ['固定图例', 'One legend'], hold_scale_note: ['移动时段时图例不变:同色即同值;关闭后每一步用自己的图例', 'While the period moves one colour is one value; off: each step has a legend of its own'],
  play: ['播放', 'Play'], pause: ['暂停', 'Pause'], scrub: ['时段滑块:{from} 至 {to}', 'Period: {from} to {to}'], empty: ['没有数据', 'Nothing here'], day_count: ['{day} {n}', '{day}: {n}'],
  tap_to: ['点按地图读数', 'Tap the map to read it'], point_to: ['移到地图上读数,点击固定', 'Point to read, click to pin'], unpin: ['Esc 取消固定', 'Esc to unpin'], within: ['{m} 米内 {n}', '{n} within {m} m'], outside: ['不在任何单元内', 'outside all units'],
  no_heat_person: ['个人位置,没有热力', 'positions of persons: no heat'], bandwidth_is: ['带宽 {m} 米', 'bandwidth {m} m'], unknown: ['未知', 'unknown'], hidden: ['不予显示', 'not told'], legend: ['图例', 'Legend'],
  no_answer: ['服务器没有回应', 'The server does not answer'], not_yours: ['您的权限看不到这一项', 'Your role does not see this'], reversed: ['起止日期颠倒:"从"在"到"之后', 'The period is reversed: it ends before it begins'], not_a_date: ['不是日期:{text}', 'Not a date: {text}'], no_rows: ['这座城市还没有数据', 'This city has no rows yet'],
  at_character: ['第 {n} 个字符:{text}', 'Character {n}: {text}'], try_again: ['重试', 'Try again'], sign_in: ['请用带口令的链接打开此页(onemap serve --links 会打印)。', 'Open this page by a link with a token (onemap serve --links prints one).'],
  busy_now: ['服务器正忙或请求太多,请稍后再试。', 'The server is busy, or was asked too much: try again soon.'],
  reconnecting: ['正在重新连接…', 'Reconnecting…'], old_data: ['数据可能已过时,停在 {t},正在重新连接', 'Data may be out of date (as of {t}); reconnecting'], loading: ['正在读取', 'Loading'], loading_of: ['正在读取:{names}…', 'Loading: {names}…'], found_none: ['没有找到', 'Nothing found'], index_made: ['索引正在建立,稍后再试', 'The index is being made; try again soon'],
  terms: ['组成', 'What makes it'], strongest: ['影响最大的记录', 'Strongest rows'], value: ['值', 'Value'], row: ['记录', 'Row'], distance: ['距离', 'Distance'], close: ['关闭', 'Close'],
  compare: ['对比', 'Compare'], compare_off: ['不对比', 'Nothing'], compare_previous: ['环比:前一个同样长的时段', 'The period before'], compare_year: ['同比:一年前', 'A year before'], compare_own: ['另一时段', 'Another period'], compare_filter: ['另一筛选(CQL2)', 'Another filter (CQL2)'],
  side: ['并排', 'Side by side'], swipe: ['卷帘', 'Swipe'], divider: ['两幅地图的分界', 'Divider of the two maps'], difference: ['差', 'Change'], '%': ['%', '%'], compare_period: ['先选一个有起止的时段:', 'Choose a period with both ends first:'],
  sure_note: ['加粗:超出随机波动(各行一并检验,错误发现率 5%)', 'Bold: more than chance does (all rows tested together, false discovery rate 5 %)'], no_data_then: ['那时还没有数据(数据始于 {from}),不能比较。', 'There was no data then (it begins {from}): nothing to compare.'], part_data_then: ['其中一段时间没有数据(数据始于 {from})。', 'Part of it was before the data begins ({from}).'],
  one_scale: ['A、B 同一图例:同色即同值', 'One legend for A and B: one colour is one value'], whole_months: ['按已结束的整月考核', 'judged by whole months that are over'],
  counts: ['数量', 'Counts'], table_of: ['表中内容', 'What the table is of'], row_list: ['明细', 'Rows'], first_rows: ['列前{n}行,点一行在地图上看', 'The first {n} rows; choose one to see it on the map'], each_row: ['点一行在地图上看', 'Choose a row to see it on the map'], print_list: ['打印', 'Print'], columns_withheld: ['部分列无权查看', 'some columns are not for this role'], per_km2: ['每平方公里', 'per km²'], dbscan_note: ['{eps} 米内至少 {min} 条成簇;共 {n} 簇,{noise} 条不属任何簇', 'At least {min} within {eps} m make a cluster; {n} clusters, {noise} rows in none'],
  due: ['应巡', 'Due'], done: ['已巡', 'Made'], done_share: ['巡查率', 'Made'], overdue: ['逾期', 'Overdue'], unjudged: ['未知', 'Unknown'], workers: ['网格管理员', 'Workers'], owed_each: ['人均应巡', 'Owed each'],
  unit_visits: ['次', 'visits'], unit_places: ['处', 'houses'], unit_of_visits: ['占应巡', 'of visits'], unit_persons: ['人', 'people'], unit_workers: ['人', 'persons'], unit_m: ['米', 'm'], unit_km2: ['平方公里', 'km²'],
  patrol_units: ['应巡、已巡是巡查的次数;逾期、未知是应巡的处数(出租屋和三小场所),按 {t} 判定。', 'Due and made are visits; overdue and unknown are houses and premises, as they stood at {t}.'], against_mean: ['相对全市', 'vs mean'],
  residents: ['居民', 'Residents'], finding: ['结论', 'Finding'], within_10: ['十分钟内', 'In 10 min'], mean_way: ['平均路程', 'Mean way'], gain: ['新增覆盖', 'Gained'], nearest: ['距最近中心', 'To next centre'], judged_of: ['考核期 {from} 至 {to}。', 'Judged from {from} to {to}.'],
  cluster_step: ['{range} 条:{n} 簇', '{range} rows: {n}'], cluster: ['簇', 'Cluster'], cluster_area: ['{km2} 平方公里,每平方公里 {n} 条', '{km2} km², {n} per km²'],
  no_faults: ['没有空隙、重叠和碎片', 'No gap, overlap or sliver'], new_sites: ['建议新设的中心 {n}', 'New centres proposed: {n}'], units_told: ['{n} 个单元', '{n} units'], of_due: ['已巡 {done} / 应巡 {due}', '{done} of {due} due'], within_ten: ['居民在十分钟内', 'of residents within ten minutes'], within_ten_of: ['{name}在十分钟内', 'of {name} within ten minutes'], workers_of: ['名网格管理员', 'workers'], residents_more: ['名居民新进入十分钟圈', 'more residents within ten minutes'], findings: ['项', 'findings'],
  form: ['表现', 'Drawn as'], form_auto: ['自动', 'What suits'], form_fill: ['面', 'Areas'], form_lines: ['等值线', 'Lines'], fold_legend: ['收起或展开图例', 'Fold or unfold the legend'], class: ['类', 'Class'], times_city: ['全市倍数', '× city'], times_note: ['本单元为全市比率(或均值)的倍数', 'How many times the rate, or the mean, of the city its own is'], with_neighbours: ['连同相邻', 'With neighbours'], near_note: ['本单元连同相邻单元一起:Gi* 和局部莫兰检验的就是它', 'The unit and its neighbours together, which is what Gi* and Moran test'], since: ['始于', 'Since'], or_before: ['{t} 或更早', '{t} or before'], by_neighbours: ['因相邻单元', 'by its neighbours'],
  city_rate: ['全市 {n}({unit})。', 'City: {n} {unit}.'], hot_of: ['{all} 个中 {n} 个显著高(置信度95%以上),排在前面。', '{n} of {all} are significantly high (at 95 % or more) and come first.'], hot_less: ['另有 {n} 个只到90%。', 'Another {n} are so at 90 % only.'], looks_near: ['检验看的是单元连同相邻单元;“始于”按周回看。', 'What is tested is a unit with its neighbours; Since looks back week by week.'], alone_of: ['其中 {n} 个本身并不高于全市,是因相邻单元,列在其后。', '{n} of them are not above the city themselves: their neighbours are. They follow.'], sorted_by_q: ['按显著性排序:q 为多重检验校正后的概率', 'Most significant first: q is the probability corrected for many tests'],
  period_fixed: ['不随所选时段变化', 'not of the chosen period'],
  interval: ['95% 区间 {low} – {high},{n} 条', '95 % between {low} and {high}; {n} rows'], units_now: ['单元:{name}', 'Units: {name}'],
  keys: ['按键', 'Keys'], help_link: ['地址栏里的链接就是当前所见的一切。', 'The address holds everything that you see.'], key_search: ['查找', 'Search'], key_pan: ['移动地图', 'Move the map'], key_zoom: ['缩放', 'Zoom'], key_units: ['换单元', 'Other units'], key_heat: ['热力的参数', 'Parameters of the heat'], key_escape: ['离开输入框、列表框,回到地图;在地图上取消固定', 'From a text field or a list box to the map; there: unpin'], help_keys: ['按键在输入框之外处处有效。列表框里字母也是这些按键,方向键选择;页签、滑块和可滚动的表里方向键归它们自己。', 'Keys work everywhere but in text fields. In a list box, too, letters are these keys and arrows choose; tabs, sliders and tables that scroll have the arrows themselves.'], key_fold: ['收起、展开两侧', 'Fold and unfold the sides'], key_lasso: ['套索中:移动、落角点、结束', 'In the lasso: move, set a corner, end'],
  fold_query: ['收起或展开查询', 'Fold or unfold the query'], fold_result: ['收起或展开结果', 'Fold or unfold the result'],
  zoom_in: ['放大', 'Zoom in'], zoom_out: ['缩小', 'Zoom out'], north: ['朝北', 'Reset north'], no_map: ['地图无法显示;数字不受影响。', 'There is no map; the numbers are complete.'], pictures: ['图片模式', 'Pictures'],
};

/** The words of a language: say('rows', {n: 3}). @param {Language} lang */
export const words = (lang) => {
  const column = lang === 'en' ? 1 : 0;
  /** @param {keyof typeof WORDS} key @param {Record<string, any>} [values] */
  return (key, values) => WORDS[key][column].replace(/\{(\w+)\}/g, (hole, name) => String(values?.[name] ?? hole));
};
/** @param {string} key */
export const isWord = (key) => Object.hasOwn(WORDS, key);

/** The language of a page: what its address says, else the browser's. @param {string} search @param {readonly string[]} browser @returns {Language} */
export function languageOf(search, browser) {
  const asked = new URLSearchParams(search).get('lang') ?? browser[0] ?? '';
  return /^en\b/i.test(asked) ? 'en' : 'zh-CN';
}

const WHOLE = {'zh-CN': new Intl.NumberFormat('zh-CN'), en: new Intl.NumberFormat('en')};

/** Numbers and dates of a language. @param {Language} lang */
export function writing(lang) {
  const en = lang === 'en', whole = (n) => WHOLE[lang].format(n);
  const short = (n) => Math.abs(n) < 1e4 ? whole(n) : count(lang, n, 1e4);
  return {
    exact: whole,
    short,
    /** About three digits. @param {number} n */
    about(n) {
      if (!Number.isFinite(n)) return '?';
      if (Math.abs(n) >= 1e4) return short(+n.toPrecision(3));
      if (Math.abs(n) >= 100) return whole(Math.round(n));
      return String(+n.toPrecision(3));
    },
    /** Two digits: legends. @param {number} n */
    figure: (n) => !Number.isFinite(n) ? '?' : Math.abs(n) >= 1e4 ? short(+n.toPrecision(2)) : Math.abs(n) >= 100 ? whole(+n.toPrecision(2)) : String(+n.toPrecision(2)),
    /** 6月26日 14:05 of an ISO moment, in the zone that it names. @param {string} iso */
    moment(iso) {
      const m = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d:\d\d))?/.exec(iso);
      if (!m) return '?';
      const time = m[4] ? ` ${m[4]}` : '';
      return en ? `${+m[3]} ${MONTHS[+m[2] - 1]} ${m[1]}${time}` : `${m[1]}年${+m[2]}月${+m[3]}日${time}`;
    },
    /** @param {string} date YYYY-MM-DD */
    month: (date) => date.slice(5, 7) === '01' ? (en ? date.slice(0, 4) : `${date.slice(0, 4)}年`) : en ? MONTHS[Number(date.slice(5, 7)) - 1] : `${Number(date.slice(5, 7))}月`,
    /** What numbers of a legend or a reading are of. @param {{unit?: string, unit_zh?: string} | null | undefined} thing @param {string} [column] that is added up */
    unit: (thing, column) => (column ? columnTitle(lang, column) : ((en ? thing?.unit : thing?.unit_zh ?? thing?.unit) ?? '').replace(/\bkm2\b/, 'km²')),
    /** @param {any} thing */
    title: (thing) => title(lang, thing) || thing.id || '',
  };
}
