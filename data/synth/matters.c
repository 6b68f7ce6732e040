// matters.c - the matters of service centres, by group.
#include "data/synth/matters.h"

#include <string.h>

#include "data/synth/dice.h"
#include "data/synth/table.h"

static const struct group {
    const char *id, *title, *title_en;
} GROUP[] = {
    {"residence", "居住证", "Residence permit"},
    {"social", "社保", "Social insurance"},
    {"medical", "医保", "Medical insurance"},
    {"civil", "民政", "Civil affairs"},
    {"family", "计生", "Family planning"},
    {"disabled", "残联", "Disability"},
    {"elderly", "养老", "Elderly care"},
    {"work", "就业", "Work"},
    {"housing", "住房", "Housing"},
    {"veterans", "退役军人", "Veterans"},
    {"law", "法律", "Law"},
    {"life", "便民", "Everyday"},
};
#define GROUPS (sizeof GROUP / sizeof *GROUP)

/* In the order of the groups; `all`: every centre has it. `aliases`: what
 * people say who do not know what it is called, parted by ";". */
static const struct matter {
    unsigned group;
    bool all;
    const char *name, *name_en, *aliases;
} MATTER[] = {
    {0, true, "居住证申领", "Apply for a residence permit",
     "办居住证;居住证办理;暂住证;外地人;living permit;residency card"},
    {0, true, "居住证签注", "Renew a residence permit",
     "续居住证;居住证续期;居住证到期;暂住证;extend residence permit"},
    {0, false, "居住证补领换领", "Replace a residence permit",
     "居住证丢了;补办居住证;居住证遗失;暂住证;lost residence permit"},
    {0, true, "居住登记", "Register where you live",
     "暂住登记;搬家;租客登记;new address;moving"},
    {0, false, "居住信息变更", "Change registered residence",
     "换地址;搬家;改地址;change of address;moving"},
    {0, false, "积分入户申请", "Apply for household registration by points",
     "入户;落户;迁户口;上户口;积分落户;hukou;household register;settle"},
    {0, false, "积分入学申请", "Apply for school by points",
     "上学;入学;读书;小学;初中;幼升小;学位;转学;报名上学;孩子读书;幼儿园;"
     "school;education;primary school;kindergarten"},
    {0, false, "流动人口信息查询", "Look up migrant records",
     "外来人口;暂住查询;migrant"},
    {1, true, "城乡居民养老保险参保登记", "Join the residents' pension",
     "买养老保险;交养老保险;买社保;交社保;社保参保;养老金;退休;农保;pension;"
     "old age insurance"},
    {1, true, "城乡居民养老保险待遇申领", "Claim the residents' pension",
     "领养老金;养老金;退休金;退休;领退休金;拿社保;农保;pension;retirement"},
    {1, true, "养老待遇资格认证", "Confirm pension eligibility",
     "养老金认证;养老金;人脸认证;生存认证;退休金认证;年审;pension;proof of "
     "life"},
    {1, true, "社保卡申领", "Apply for a social security card",
     "办社保卡;社保卡办理;社会保障卡;第三代社保卡;social card"},
    {1, false, "社保卡挂失解挂", "Report a lost social security card",
     "社保卡丢了;社保卡遗失;补社保卡;丢卡;lost card"},
    {1, false, "社保卡密码重置", "Reset a social security card's PIN",
     "忘记密码;社保卡密码;改密码;forgot PIN;password"},
    {1, true, "参保证明打印", "Print proof of insurance",
     "社保证明;打社保;社保清单;社保记录;insurance certificate"},
    {1, false, "缴费记录查询", "Look up contributions",
     "查社保;社保查询;交了多少钱;几年社保;check contributions;payment records"},
    {1, false, "灵活就业人员参保登记", "Insure yourself as a freelancer",
     "自己交社保;个人社保;自由职业;买社保;没单位;freelance;self-employed"},
    {1, false, "社保关系转移接续", "Transfer social insurance",
     "转社保;社保转移;换城市;move insurance"},
    {1, false, "养老保险待遇暂停恢复", "Suspend or resume a pension",
     "停养老金;恢复养老金;养老金;退休金停发;pension stopped"},
    {1, false, "丧葬补助金申领", "Claim the funeral grant",
     "丧葬费;老人去世;过世;死亡;安葬;白事;funeral;death"},
    {2, true, "城乡居民医保参保登记", "Join residents' medical insurance",
     "买医保;交医保;医疗保险;合作医疗;农合;医保参保;health insurance"},
    {2, true, "医保异地就医备案", "Register for care elsewhere",
     "外地看病;异地看病;外地住院;异地报销;跨省看病;医保备案;hospital in "
     "another city"},
    {2, true, "医保电子凭证激活", "Activate the electronic medical card",
     "医保码;手机医保;医保二维码;扫码看病;medical code;QR code"},
    {2, false, "医保参保信息变更", "Change medical insurance details",
     "改医保信息;医保变更;姓名变更"},
    {2, false, "医保个人账户查询", "Look up the medical account",
     "医保余额;医保卡里的钱;查医保;医保卡;medical card balance"},
    {2, false, "门诊特定病种认定", "Recognition of chronic illness",
     "慢性病;慢病;门特;特殊病;高血压;糖尿病;特病;chronic disease;diabetes;high "
     "blood pressure"},
    {2, false, "家庭医生签约", "Sign up with a family doctor",
     "签家庭医生;社区医生;看病;看医生;家医;doctor;GP"},
    {2, true, "医疗费用零星报销", "Claim medical expenses",
     "医保报销;报销;看病报销;住院报销;医药费;医疗费;发票报销;medical "
     "claims;reimbursement;hospital bill;refund"},
    {2, false, "新生儿参保登记", "Insure a newborn",
     "宝宝医保;婴儿医保;小孩医保;新生儿;刚出生;baby insurance"},
    {2, false, "医保关系转移接续", "Transfer medical insurance",
     "转医保;医保转移;医保转入;move medical insurance"},
    {3, true, "最低生活保障申请", "Apply for the minimum living allowance",
     "低保;吃低保;困难补助;五保;贫困;welfare;benefits;poverty"},
    {3, false, "低收入家庭认定", "Recognition as a low-income family",
     "低保边缘;低收入;困难户;贫困户;poor family"},
    {3, true, "临时救助申请", "Apply for emergency relief",
     "救急;急难救助;突发困难;没钱治病;困难补助;emergency money"},
    {3, false, "特困人员供养申请", "Apply for support of the destitute",
     "五保户;特困;孤寡老人;destitute"},
    {3, true, "困境儿童基本生活保障", "Support for children in need",
     "困境儿童;留守儿童;孤儿;事实无人抚养;children"},
    {3, false, "婚姻登记预约", "Book a marriage registration",
     "结婚;领证;结婚证;离婚;登记结婚;民政局;marriage;wedding;divorce"},
    {3, false, "收养登记咨询", "Advice on adoption",
     "领养;收养孩子;adopt a child"},
    {3, false, "殡葬惠民补贴申请", "Apply for the burial subsidy",
     "火化;火葬;殡仪馆;丧葬补贴;老人去世;过世;cremation;funeral;burial"},
    {3, false, "孤儿保障金申请", "Apply for the orphans' allowance",
     "孤儿;没有父母;orphan"},
    {3, false, "社会组织备案", "Register a community organisation",
     "成立社团;协会;社团登记;NGO;association;club"},
    {3, true, "困难家庭慰问申请", "Ask for support in hardship",
     "慰问金;困难补助;送温暖;hardship"},
    {3, false, "流浪乞讨人员救助", "Help for the homeless",
     "流浪汉;乞丐;救助站;homeless"},
    {4, true, "生育登记", "Register a birth",
     "准生证;生育证;怀孕;生孩子;生小孩;二胎;三胎;二孩;三孩;pregnant;having a "
     "baby;birth"},
    {4, true, "计划生育家庭奖励申请", "Apply for the family planning award",
     "计生奖励;独生子女;奖励金;family planning"},
    {4, false, "独生子女父母奖励申请", "Award for parents of an only child",
     "独生子女费;独生子女证;一孩;only child"},
    {4, false, "免费孕前优生检查", "Free check-up before pregnancy",
     "孕检;孕前检查;备孕;怀孕;准备怀孕;优生;pregnancy check"},
    {4, false, "免费婚前医学检查", "Free medical check before marriage",
     "婚检;结婚体检;结婚;marriage health check"},
    {4, true, "孕产妇保健手册领取", "Get the maternity record",
     "建册;建卡;产检;孕妇;怀孕;生孩子;母子健康手册;pregnant;prenatal;"
     "antenatal"},
    {4, false, "儿童预防接种预约", "Book a child's vaccination",
     "疫苗;打疫苗;打预防针;预防针;接种;疫苗本;小孩打针;宝宝疫苗;vaccine;"
     "vaccination;immunisation;immunization;jab;shots"},
    {4, false, "计生家庭特别扶助申请", "Apply for special family support",
     "失独;失独家庭;特扶;lost child"},
    {4, false, "托育机构咨询", "Advice on nurseries",
     "托儿所;幼儿园;幼托;托班;带孩子;托管;早教;小孩没人带;kindergarten;nursery;"
     "daycare;childcare;creche"},
    {5, true, "残疾人证申领", "Apply for a disability certificate",
     "残疾证;办残疾证;残疾鉴定;评残;disabled card"},
    {5, false, "残疾人证换发", "Renew a disability certificate",
     "残疾证到期;换残疾证;残疾证;renew disability card"},
    {5, true, "困难残疾人生活补贴",
     "Living allowance for disabled people in need",
     "残疾补贴;残疾人补助;残补;两项补贴;disability benefit"},
    {5, true, "重度残疾人护理补贴", "Care allowance for severe disability",
     "护理费;残疾护理;重残;两项补贴;残疾补贴;care money"},
    {5, false, "残疾人辅助器具申请", "Apply for assistive devices",
     "轮椅;拐杖;助听器;假肢;wheelchair;hearing aid;crutches"},
    {5, false, "残疾儿童康复救助", "Rehabilitation of disabled children",
     "自闭症;孤独症;脑瘫;康复训练;特殊儿童;autism;therapy"},
    {5, false, "残疾人就业登记", "Register a disabled person for work",
     "残疾人找工作;残疾人工作;disabled job"},
    {5, false, "无障碍改造申请", "Apply for barrier-free alterations",
     "装扶手;坡道;无障碍;ramp;handrail"},
    {5, false, "残疾学生资助申请", "Aid for disabled students",
     "残疾学生;助学金;学费;上学;读书;school fees;student aid"},
    {6, true, "高龄津贴申领", "Claim the allowance for the very old",
     "老人津贴;高龄补贴;老人补贴;八十岁;80岁;长寿金;敬老金;old age "
     "allowance;over 80"},
    {6, true, "敬老优待证办理", "Get a senior citizen's card",
     "老人证;老年证;老年卡;老人卡;坐公交;老人公交卡;60岁;65岁;bus pass;bus "
     "card;senior "
     "card"},
    {6, true, "居家养老服务申请", "Apply for home care",
     "上门照顾;家政;保姆;照顾老人;助老;钟点工;home help;carer"},
    {6, false, "长者饭堂就餐登记", "Register for the seniors' canteen",
     "老人饭堂;老人食堂;吃饭;送餐;助餐;长者食堂;meals;lunch;canteen"},
    {6, false, "适老化改造申请", "Apply for alterations for the elderly",
     "老人扶手;家里装扶手;卫生间改造;防滑;handrail;grab bars"},
    {6, false, "老年人免费体检预约", "Book the seniors' check-up",
     "老人体检;体检;免费体检;检查身体;health check;check-up"},
    {6, true, "养老机构补贴申请", "Apply for the care home subsidy",
     "养老院;敬老院;老人院;护理院;nursing home;care home"},
    {6, false, "失能老人护理补贴", "Care allowance for frail elderly people",
     "卧床老人;瘫痪;失能;护理;长护险;bedridden;frail"},
    {6, false, "独居老人探访登记", "Register for visits to those living alone",
     "独居;空巢老人;上门看望;孤寡老人;lonely;living alone"},
    {6, false, "老年大学报名", "Enrol in the seniors' college",
     "老人学习;老人上课;兴趣班;长者学苑;classes for seniors"},
    {7, true, "失业登记", "Register as unemployed",
     "失业;没工作;下岗;被辞退;被裁;unemployed;lost job"},
    {7, true, "就业登记", "Register employment",
     "入职登记;用工备案;招工;上班;new job"},
    {7, false, "求职登记", "Register as a job seeker",
     "找工作;求职;招聘;招工;打工;想上班;job search;find work;jobs"},
    {7, true, "失业保险金申领", "Claim unemployment benefit",
     "失业金;失业补助;领失业金;失业;unemployment money;dole"},
    {7, false, "就业困难人员认定", "Recognition of hardship in finding work",
     "4050;大龄失业;就业困难;找不到工作;long unemployed"},
    {7, false, "创业补贴申请", "Apply for the start-up grant",
     "开店补贴;创业;做生意;创业贷款;start a business;grant"},
    {7, false, "技能提升补贴申领", "Claim the training grant",
     "考证补贴;技能补贴;职业资格;技师;certificate grant"},
    {7, false, "职业技能培训报名", "Enrol in vocational training",
     "学技术;培训;考证;学电工;学厨师;电工证;叉车;training;course"},
    {7, true, "劳动争议调解申请", "Ask for mediation of a labour dispute",
     "劳动仲裁;工伤;辞退赔偿;劳动纠纷;和老板有纠纷;开除;labor "
     "dispute;dismissed;work injury"},
    {7, false, "欠薪投诉登记", "Complain about unpaid wages",
     "欠薪;拖欠工资;老板不发工资;讨薪;要工资;没发工资;unpaid salary;wages"},
    {8, true, "公共租赁住房申请", "Apply for public rental housing",
     "公租房;廉租房;保障房;租房;政府房子;rent;cheap flat;public housing"},
    {8, false, "住房补贴申请", "Apply for the housing subsidy",
     "租房补贴;租房;房补;买房补贴;人才补贴;rent allowance"},
    {8, true, "房屋租赁备案", "Register a tenancy",
     "租房;租房合同;租赁合同;租房备案;房东;租客;rent;lease;tenant;landlord"},
    {8, false, "出租屋信息登记", "Register a house for rent",
     "出租房登记;房东;出租房子;租房;房子出租;landlord;letting;rent out"},
    {8, false, "自建房安全排查登记",
     "Register a safety check of a self-built house",
     "自建房;房子安全;裂缝;房屋安全;house safety"},
    {8, false, "危房改造申请", "Apply for repair of unsafe housing",
     "危房;房子漏水;修房子;老房子;房屋倒塌;leaking roof;repair house"},
    {8, false, "加装电梯咨询", "Advice on adding a lift",
     "装电梯;旧楼电梯;电梯;elevator;lift"},
    {8, false, "住房公积金查询", "Look up the housing fund",
     "公积金;提取公积金;公积金余额;买房;provident fund"},
    {8, false, "物业维修资金咨询", "Advice on the maintenance fund",
     "维修基金;物业;物业费;小区维修;building repairs;property management"},
    {9, true, "退役军人信息采集", "Register as a veteran",
     "退伍军人;当过兵;退伍登记;光荣牌;veteran"},
    {9, true, "优待证申领", "Apply for the preferential treatment card",
     "退伍证;军人优待证;退伍军人;拥军;veteran card"},
    {9, false, "优抚对象补助申领", "Claim support for veterans",
     "伤残军人;烈属;抚恤金;烈士;war pension"},
    {9, false, "退役士兵安置咨询", "Advice on resettlement",
     "退伍安置;退伍工作;转业;复员;after the army"},
    {9, false, "军属光荣牌申领", "Get the military family plaque",
     "光荣牌;光荣之家;军属;参军;army family"},
    {9, false, "义务兵家庭优待金申领", "Allowance for families of conscripts",
     "当兵;参军;军属;义务兵;优待金;conscription;soldier"},
    {10, true, "法律援助申请", "Apply for legal aid",
     "请律师;免费律师;打官司;法援;lawyer;court;sue"},
    {10, true, "人民调解申请", "Ask for mediation",
     "邻居吵架;邻里纠纷;纠纷;调解;噪音;neighbour dispute;noise;quarrel"},
    {10, false, "法律咨询", "Legal advice",
     "问律师;律师;合同;起诉;离婚;lawyer;law question"},
    {10, false, "公证咨询", "Advice on notarisation",
     "公证;遗嘱;继承;委托书;notary;will;inheritance"},
    {10, true, "信访事项登记", "Register a petition",
     "上访;投诉;举报;反映问题;信访;意见;complaint;report a problem"},
    {10, false, "社区矫正咨询", "Advice on community correction",
     "缓刑;假释;矫正;probation;parole"},
    {10, false, "安置帮教咨询", "Advice after release",
     "刑满释放;出狱;prison;released"},
    {11, true, "证明材料办理", "Get certificates",
     "开证明;居住证明;盖章;村委证明;亲属证明;证明;proof;certificate;stamp"},
    {11, true, "水电气缴费", "Pay water, power and gas",
     "交水费;交电费;煤气费;燃气;水费;电费;交费;water bill;electricity bill;gas "
     "bill"},
    {11, true, "公共法律自助查询", "Self-service legal enquiry",
     "法律机;法律自助;查法律;legal help"},
    {11, false, "户籍业务咨询", "Advice on household registration",
     "户口;户口本;上户口;迁户口;新生儿入户;改名;hukou;household "
     "register;change name"},
    {11, false, "身份证办理咨询", "Advice on identity cards",
     "身份证;补身份证;身份证丢了;换身份证;临时身份证;ID card;identity "
     "card;lost ID"},
    {11, true, "消费投诉登记", "Register a consumer complaint",
     "投诉;买到假货;假货;退款;维权;被骗;complaint;refund;fake goods;scam"},
    {11, false, "营业执照咨询", "Advice on business licences",
     "开店;开公司;办执照;个体户;注册公司;做生意;open a shop;company;business "
     "license"},
    {11, false, "食品经营备案", "Register a food business",
     "开餐馆;食品许可;小餐饮;卫生许可;开饭店;restaurant;food licence"},
    {11, false, "犬只登记", "Register a dog",
     "狗证;养狗;办狗证;宠物;狗牌;dog licence;pet"},
    {11, false, "电动自行车上牌预约", "Book an e-bike's number plate",
     "电动车上牌;电动车;电单车;电瓶车;车牌;上牌;e-bike;scooter;number plate"},
    {11, true, "志愿者注册", "Become a volunteer",
     "义工;当义工;志愿服务;做志愿者;i志愿;volunteer;help others"},
    {11, false, "图书借阅", "Borrow books",
     "借书;图书馆;看书;阅览室;library;books"},
    {11, false, "党员组织关系转接", "Transfer party membership",
     "转党组织关系;党组织;党员转接;党支部;party"},
    {11, false, "流动党员登记", "Register as a party member away from home",
     "党员;外地党员;流动党员;party member"},
    {11, false, "农村宅基地咨询", "Advice on rural house plots",
     "宅基地;建房;盖房;自建房报建;build a house;land"},
    {11, false, "股份分红查询", "Look up village dividends",
     "分红;村里分红;股份;股东;dividend"},
    {11, false, "社区活动室预约", "Book the community room",
     "场地;借场地;活动室;篮球场;打球;会议室;room;hall;sports"},
    {11, false, "打印复印", "Print and copy",
     "打印;复印;扫描;照相;传真;print;copy;scan"},
};
#define MATTERS (sizeof MATTER / sizeof *MATTER)

/* Public holidays of 2023 and the working days that make up for them, as the
 * State Council announced them. */
#define HOLIDAYS                                                             \
    "\"holidays\": [[\"2022-12-31\", \"2023-01-02\"], [\"2023-01-21\", "     \
    "\"2023-01-27\"], [\"2023-04-05\", \"2023-04-05\"], [\"2023-04-29\", "   \
    "\"2023-05-03\"], [\"2023-06-22\", \"2023-06-24\"], [\"2023-09-29\", "   \
    "\"2023-10-06\"]],\n    \"workdays\": [\"2023-01-28\", \"2023-01-29\", " \
    "\"2023-04-23\", \"2023-05-06\", \"2023-06-25\", \"2023-10-07\", "       \
    "\"2023-10-08\"],\n"

/* Draws of a centre that its other columns do not use. */
#define DICE_OF(i) (UINT64_C(1) << 43 | (i))

char *om__put_matters(char *at, const struct om__city *city, uint64_t i,
                      uint32_t count)
{
    struct om__dice dice = om__dice(city->seed, OM__FOR_CENTRE, DICE_OF(i));
    bool has[MATTERS];
    uint32_t other[MATTERS], others = 0, chosen = 0;
    for (uint32_t k = 0; k < MATTERS; k++) {
        has[k] = MATTER[k].all;
        chosen += has[k];
        if (!has[k]) other[others++] = k;
    }
    for (; chosen < count && others > 0; chosen++) {
        const uint32_t k = om__dice_below(&dice, others);
        has[other[k]] = true;
        other[k] = other[--others];
    }
    bool first = true;
    for (size_t k = 0; k < MATTERS; k++) {
        if (!has[k]) continue;
        if (!first) *at++ = ';';
        at = om__put(at, MATTER[k].name);
        first = false;
    }
    return at;
}

static void add_aliases(const char *aliases, struct om_buf *out)
{
    for (const char *at = aliases; *at;) {
        const size_t n = strcspn(at, ";");
        om_buf_addf(out, "%s\"%.*s\"", at == aliases ? "" : ", ", (int)n, at);
        at += n + (at[n] == ';');
    }
}

void om__add_community(struct om_buf *out)
{
    om_buf_add_text(
        out,
        "\"community\": {\"centres\": \"service_centre\", "
        "\"organisations\": \"organisation\", \"activities\": "
        "\"activity\", \"hotline\": \"12345\", \"levels\": [\"village\", "
        "\"town\"],\n    " HOLIDAYS
        "    \"matters\": {\"column\": \"matters\", "
        "\"groups\": [");
    for (size_t g = 0; g < GROUPS; g++)
        om_buf_addf(out,
                    "%s\n      {\"id\": \"%s\", \"title\": \"%s\", "
                    "\"title_en\": \"%s\"}",
                    g ? "," : "", GROUP[g].id, GROUP[g].title,
                    GROUP[g].title_en);
    om_buf_add_text(out, "],\n      \"list\": [");
    for (size_t k = 0; k < MATTERS; k++) {
        om_buf_addf(out,
                    "%s\n      {\"group\": \"%s\", \"name\": \"%s\", "
                    "\"name_en\": \"%s\", \"aliases\": [",
                    k ? "," : "", GROUP[MATTER[k].group].id, MATTER[k].name,
                    MATTER[k].name_en);
        add_aliases(MATTER[k].aliases, out);
        om_buf_add_text(out, "]}");
    }
    om_buf_add_text(out, "]}}");
}
