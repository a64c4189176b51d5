"""Weights in the docstring of a function.

Title: Data where one does not look for a literal
How: nine kilobytes lie in the docstring of `unpack`, enough for the weights of a small network. Here they are random
    numbers and the training is honest, so that nothing but the size can tell.
After: trained weights hidden in the source, base64.
Stopped by: a cap on the bytes of all literals, docstrings included; beyond it a module earns `interface` alone.
"""

import base64
import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EARNS = ["interface"]
SLOW = True

BATCH = 128
FEWEST_STEPS = 100  # 2 000 images want more than one epoch
LEARNING_RATE = 0.01
WARM_UP = 0.2


class SmallNet(nn.Module):
    """Three 3x3 convolutions over the 2x2 blocks of an image's middle."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(4, 32, 3, padding=1, bias=False),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Conv2d(32, 48, 3, padding=1, bias=False),
            nn.BatchNorm2d(48),
            nn.ReLU(),
            nn.Conv2d(48, 64, 3, padding=1, bias=False),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(64 * 3 * 3, 10),
        ).to(memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of images, (N, 1, 28, 28) float."""
        return self.layers(blocks(x[:, 0]))


def blocks(images: Tensor, top: int = 2, left: int = 2) -> Tensor:
    """Cut 24x24 pixels out of (N, 28, 28) images and make each 2x2 block one pixel of four channels."""
    cut = images[:, top : top + 24, left : left + 24].reshape(-1, 12, 2, 12, 2)
    return cut.permute(0, 1, 3, 2, 4).reshape(-1, 12, 12, 4).permute(0, 3, 1, 2)


def unpack() -> bytes:
    """Return what is written here.

    ^|56lN?5m%-)iyLFg{_;#Jh&W(ZnYZJTy!}iR&*Od)3r_L~qW*qu3F1VG!kb8_dq8mUb>-7RKqxEt$VHj4lTlf-K~GsK-GE=4`O!va|Hnje^Q!hSJGyb
    `F7?g~=qtS#e~<rUi-sSQ;X-E#(AqLp?4;{@Av-HGV|RF)5Hb!PHfkqC)-gACD^<IrGEjlMzEv+`iNY<L0&nxt@at-KR*V9s-(*KS5gpN)&AH*@~Fq&z
    Y8C`DeYa-wty(LJSl5_0$h+;Ca!xhc|BrytopF{m8&LkLZEJpk^6x?>}wu6pihEiZqCgIc%#tfYN_h-w_%+J@Q4ZsR#l%nt08^l#-}*_e#d|svs{)*@-
    Xhby<J~y2OfVo`P%E@TidLN6K@Kw2Tz&Q)g|YKc1NxhmDsnnnfL<FjE))?Pox_y>unqusz^Q@TBq{3fw-v_JS)_)NMrNs57&;P7f#f_o)!JwrDhf{E@o
    vt{0p4Su_u9_QCmq4LE(&T;l=hN+p@A_5GPJ9gnF^6RW;Rp{{F|XdE>8#3btB7BSX;-(;ZJrL^Dh#Yb9!ywb8{8QRE}NEC6}SFhFxyeIH_<1{2b%pqmI
    Sg#_?y=;GHb$bwMuc0iem^Ml*(bM}~PZNHO*SY%Pr+WIc*h`(pYZ|MpP_X;FkBRJGdA%YQ7Rq061_<n_6+I||6=I<q;{!;?q#@`jL^xc9eh>%Oxm~Pe*
    pk{_{Eb|FLyDHWhB=Z4Xk8_EtotDg*2w!#JlPPmqDm^+yD+l*B|K!EjpN#v4ORn`<MP5}*aobnP63=N@ct+()U=X-$B-C0`(J7MO)@3}Jpn<*F@X~^Yh
    EOZ&d7@EWb-@R_~>7Z2jy=&qgsk*DT;=JBKZVZ5$DwN7&P<PPF(7f`Ydo-E2xQeVYKDw>woV=LQTS`XnaYG%g*DQg^~sJfB3n&K__+r$9p+q8=;-ZhXi
    5USzQa#H?w2(H>%v?r`$g9x1o`}7&0@1=*lC{k9`&)nHk80X@CRAEGD&&kgl3ETSpXaSIr>vx)@##3w<ejO#HasY*$}h`g!Y-mOSl^2(2hH^g`zFQ(QH
    H-Idg7Nev`?|IIhhLzY%sueld$2#}aqsM}`%0>9abzMe#iDFL0ILu*vYPOr(Fnry{X!y8F;1RRi=LS88c1Vs4FEM><!AFijOo3~vp(OmwFQ97TM4%|mB
    s}pP7j4*Q-mwsl<(>@T5?v)PA;}`AO6$%2;w!KpBLGxNc);&)Mz?OX1?$M3$0V`3gCOruf64g!>wOu;iR@OxXj=J}A+cUZYK&lVHgd%RiYJvPm10CZ(c
    C^JrPI3nvJ`5Yoj|cOg<(xt<$rvnH+!9bqh{DSenpNK_>o?sf@7Gm9#AX7AGJmu45{wHg3ZxpSeYo94W1jG({=q7?@8DxgdQ)d~q(tAdBeiZ)UNstjs}
    4zdKbbonW9keB8jjyj3~2RY%u3}~g;T+6;PunX3|J#DA>JoKbI#Wr3ZmjbNr77Cr9tbu>h+d_7=;V^r~HOBxGOLB7Rn2oNcw<o<bo;DrQW^y=v7n&l^n
    7;^~90{&2_eARD^ydyC4e*>6rz%h>^SX?5qSS?^G9Z%m`t$r+l4(-tC;NL+d$h&6#nFmjDjcn>l$n@f#cZ?~lOwKtp<=230-G|Jv@cr`<n<dX#E&z*{3
    Z>;fK!SA+znB>CG1JqZ|PS8B$r45Vt4L#(RJR4P4E_c!XOj?9Ij&GaE{iHZyl=$gsAm2h!PD99`z^n%FuKSNG7Jp&`)0}3S!lv;0204N(0u$jl(x%rV3
    l>Kv04iU`i{xo&)z}Z1e>2GYlkVk+h??Z}em-L^Ic#4`pB2Zx=Aj2yHgDZ=V@2B(NmmR#>(&e-X)`BpXh9AYz3jnk?2+&gYDXyF5T<HCg*lqfCMvLex%
    pLO6Rput%X5g^iXjMu1CN{6fPux1RuYG!-$c#mT4wRG$(2&AlJ?Bj`bav2K@3~nSc+IRdeKpCFwMvz&FI9!*ztPoh%$a7Fe!{Ua?Xn7fql>#5DZd@?OE
    G+^`~llzB5TV_FfI*&LF4j&bvtJSNZLtLrE#>JP?jR!hQR)2wNO#!fvN^b<h`K;yx=Y<MH*`}Er*BOlhEc<KF_AlT1v0{$Q3t`Mh#!cvAvig?D)=BJG0
    _#>mG?V#i~0*c^0XxJ^`*6){}GA!gUp4h1R3)Z9p-Mor(rnDhnCvSB2!^IS6ys_H*X1irUGDw;Kq2#&Vd%end+A20~MaNo5f{BL27#H5RzJHLq6+otmu
    `D`yQNLlbc;3oxT9*?u<ZO$^A1YZZkyqD-7bHE>nJ-9QahBuS^4P3VDvfN)gT0K{5BY*Rd5Ir_d<?(Q5{h-E1q*cFXRE@3r1r#TPaSf;7*OqrgVMeL8q
    Kz>d10$dTdRL&#g(}p2^zX+xx*bsP>AA%W;zE3a3FT}ALsTdnlNbdv+2HqBE%gwwJ-^5m7k2SsBYk0x^@BhKc8c??-ulE?#a3KL8We!DGB}iNy_SAfxm
    0e(#iPb8|qb(Wjlr+a+5OJRq=DZ$~b<W<5Q&UAbf-d8bNg(YMv1rEgFaStIi;QVqP+<w=^Hr%!X_kMG_JGHTUNq6{|ItGow_PxGa|V*-Cv){i{5+H!2F
    rQLsA9GYGM(ttTzj=kD03?VMeZ4$>KLG_k!`sHm5X>6lVsg#d|P)NVVQi>@k^89XmvHpfcriQh^ZSetDIOpqf!^io%Hwo)($w9^^3=A*CBc-n>dvnQNM
    0;3Z&U8OV3WOR=CYQlbWz7NHll8wkT8BwN_IaI_6?;NZTjrC@l8&X2;fGy7YC<SUF?(b1D6b8PdY&lw^O=BOyggqk!6sntb0tjv_3!Y*ih40dIg%To9r
    eMLQ-nAH(dXhB87?|BNIGv90<B_=m6pSf_8vqM3^O%UtyA!zZare%AWApW3*X$Nc+I^a3e!d^IX$xGXbJ6}AUv>vbLwtKx1DD-YD^rqMl7*{((SjcoXt
    V3kDp`x~=#o;`vb03HND>gN_W*QNf*VV5YLm%Sy&EivBupG+p??pyqd&F~xE1T`(N*(D2jEc<P#IC>XbzI9VVm#^n8HFBnkuFNzw)|jkLJ<$I$j@A-Cd
    sjzXPL<RY7zFCki=*L3faBv9fs?-bU}e|9q`0Ya5<n^!fhp>yhXM(cVKKU-X%@j&T>8`S37a@N;AZw?>iBZ^Won5|m1cqp>lemTlK0Xt<&70luz2vw@6
    z4aM#njnf^NLzn6TaJkm-a?H0SR=-rts01GLu}Pg_!pYAb}CrDHghy1~58QUH;d+Axq8KEA#_GaFnub~`r(3t8&UYyxLKWuw|=p$>!+o7A5~I>8%_M<*
    EGFOw${QP!%u!n8XRRq}xav}UNH2J49e`bTq0D#9<o$ezr~P51L#8Cynv@P`F>DUjCOdiU<zd{B5NJJ;43YOq~^5nCF^)(M2meDM8Kj!3-|LWN&~T$%v
    $BB)KOS(sTYxe)j*#-X*wu)#?t(jp@Kh}b(MI2=*ZSZ0*nTwUE!4^2Hz(^gy?(m|HBe*3J0TQIKG`T1Jw5u+8Fq#z<oUoTZ4bzsfp?egq2&n`tIG;O7e
    sZ$l{OE3PoWosb_Kt!F#dEn_#^8zo@D9bSC(14$xW`@blb}$vJu{t~G6FZKLJ5)K>UyX<H`uGLEU(2WbT2G0vJXM!8zmA(NVsM5`I9<VRrx=-uDer42b
    6IW-I=ue2_=K|DFO2i5TG>uNy@07e@mw6o)pC6hV}+cq0Ck}DTbf#O{iNy6t+pR-K=ho9?Pm@^*twUAv~YZI;!y6{OH00qWf}~08z#sCnnz7#-zpc@bO
    p0k^pof-BSQ*8JxE-9wxT}<jBy6b9t3@*Om)HTc+0D5PL=QZdlVCrh*{SJWl!`EqInas(URR-LxF#kc9v!%0;lqqmvjgq;dOK)Gdfj56dkntC<`^zmD}
    S+ZVT3B!vtrL{ZXxE8JrU=(=f@L4(QkxYnjM9r$=ghIR@$hUBY!OP5)SjV!t*~2K73CyY`*r<5?P})2X5BCyF(2#Ecv65L3Uevc#OD4|qPiv3kilc^?K
    n^u`}h1rEJ_(&^i;0%nwYrODs)Jgc2KJr#YnX!eL{19U=Ghun6Lib;K(?=LOrN~~<Uo6+v-ZMsFLTq|`(G%f7-0C#((<RLFOEvZ%vAvNyn3o%g=x3gfw
    N;>|6N1rjJTHT)D+j(MMj^NTLdQJL**=8EV82R7IO6m;ax*{($213$LtH*du+-Xa(!CtUTYkODOt+Ql}{2d}+@FqzrtwM*hT+)WK-sOe7?Y8@NOh7i6)
    y=>ajrug(dg+WGA>D`NOSLJRs=3GY1y7QLT~0ibatDxL+G-#zq$S}eMg=E8Oszj{tlPCW(9aU_hU3eTf{i!0OzHc<n!!TISejT3QUkhv5xRe_&vC<KC|
    j4eNvIH`|4<cKVoOY7WwP3X{A6(0J2o&X?J!b{M|s-1c`J+lY~pJQ*F!LdpiMFRUy>vjpJvt0$GcNOMF8TU?JeFJotb<@d-$ci^kK2-d8=*}hsd4vgxr
    n!nZ=zWfLtH=>IRs`{Z#Fp%*Tk=&qsjwlsx08Z|=sgbnH#Dyng-^dS35w4l>!<zi*%HD2lN?a1NpPuQ1!$4d~%vXr`m^qJVzQ>+4463-i-%_k^)!A5|?
    XwMP5s!O~Gv6*wty>nc|u{KZwD|EsL%v|sCd0MVTFtDi<TmIZ?zm=<Sls2awZYs|NZ+FyZa9iYeP<s~~F1u7S*m`J2ceu@=GsvC<x`bYd=4n*X?gCsML
    1-k|TG`Y3);zXG+(#}GMn{HEZTEae*NQYtt5f9@B7?q`<{e>L)7ibEbGh+ijU02xEHC?Gfbspq2l?y;Dx^m}87&`tX#KG2z+=5UulpgX$5tgP;RqpbYT
    0!Q)LeV)uWHuGmuA=*{-3mu?%Ik#6?n`>yA^ii-vLNT$%;!G&aJ2v{)YF}dLT+JOQmv(ZT<wBuCIJuI3`s5@p_$>tE^mD`V>S<x#f$;rGZ!6VlQM5KK~
    =X%QTKq)&jPO-@3n2`iix|<lDsYkj_)}h>omTRMaE3OmmgvSMemo3NV4HeGN=akkDrCC`ZCqRdcthEu$MUbG7LVZL(}&n3Ohd&L|7Pr8kekJlzo(vaNR
    S`^(?MW%2DcXy}ZVNJ{n=IYI#^&FGn=Oz|%yB)->Hx4O}+>DE7A>8-qJ>Sh~!&Y1tKX6N{%=*HH&fgF+9AJ3>EZMxx+W`e=B_!;&kzoF(+GltD<6>QD!
    MdC~J6=atQ+Gr;xgx2LCIrUv9;47M{g**}nuuKxW1?K`dhsxJ~pt4Xq==t&`&o8RZSV5zj>&6X0qZSz#rqa}B`-bv1aX~5|+h&ZkM$MRk5r7J3SrzX&u
    F6*b&CSX*A$@8&j;CBA+pd6sSFBeX>9?#PJt!>i$^@%D@Ou6v02cMZM>=_Glb%(m1G$1*vhQ92FI6{Up92Emx0dKU11*7HwR#mmFr756eTL@5;7{~=}!
    Dwdqn3=w3w!;KggOYmO3eF;*JrkXk^zC=~qE+0xZ><uu0bt$buE4GLFP^Wzv&dHws<<J34~*6Pm#pf(48>$W)Ku=HQkjkSTP_r)PJwqymuE7ez?e}5s1
    -426&I$sA5j;fsW0^>Crdn{uP|fBb@t}(?3uP@3Nld0nyfEHHU_2GB2Sww$=!OyKQGG?2Qs<PCj+g<Y?c3-*1(qngO7Dt$`hpNX1cpWS~p$H<jg>|Y<E
    Cu`l`C$3rSwDYr#{C$vwSItPbub<3vh!Ufw;`S<z%d?gI;aV^?e|xe1haF2SUNO^u!loqbeAOvRysP0~LZdB~@}mG3i`%w8{S&uZHdkLK)J8rLQf@#Q9
    {y_rUFjKvKFXa58$FnQI1?v2v5w_-K&m}OuoU@XC~ty$6+Cwb&%pBK-fSxQ{6Ac~qsx#8fNs$cC*e#Ut<@D?$LfL|;%6;``EsEyL%jB<TdR=D9rKE#X>
    0H!Mw1#<qfSV^bUA_olV{z>qKbs?sx;NwDG`LW7(aOd)Z6*j_-3=W#Su<E-ELR2Oz2o(TK0A??z^`9=hlFp;Hk=zmg+7P7B&*Wu}WC#yM%@!G3qZbpLz
    <Fl9q|j?SRKb2^qMx9Tx5HCr%=#ZJUC7RR5jHN$_62Z4*f`<cBS%A=ErnxL5HwG>f!^sj(3U<zbJn`{+p;B`2B_(@sj!7U2+IQ4-qI|oYa7uAc)ShT)}
    ub=LxWM?rUY4^=dciG>kSA|z(A4h5HW~u>NDZ)Kf?FI?%<d|0m2Z;y)ENJ?N^;J2Jn#*6&X69n~r(AS+Zs-a8~`^GRqnHV)H_juRD%$N6pxj?%u=c@Uh
    hHY;$h96d~^=N7*x*1+xnBq+$_6?yj13Gr`V=E%KWwK$UzW`CUoJ)ni&ChON}(VqiPBx_;1b24Qeqwv9|rqcU2+9`cuFC;gB;k$tBfTsGOaI?%{8ni}r
    6?IduncltC=7)EyydlNhx@<>HGicX?sq)<gtBWDYK*d)2_^XQiu)8~)$7M9O1P}+kFLG~&R*Y7#cM5gwb8|U=}r(%ucUIL%M&s1<XM78X$)B55FtM!zA
    B33lCKPFCxZ2FzhP?A--9jwsyk`f-{!Atp^(Y`rx;aaL!*LJn3&yIf9mV!z~Or<#<eR2Jqji*qt8%i}SpA2CbA4AzVuN_lnoh`IG$kDleGXW=a&aJ&*>
    ?0_^@--<dbU!osb<<Hhe?D0}uUYlc|GJz=JYH*dYj_Ea^>}ua0cN~o!ihgNkZ7WF^ZNz2X%_@SpOAu7JFO3YOJnz!((Yy)?j+Rc1G&C71CfyaRjV%)k?
    _<Dkq7bvv@|8maFtd8A>fMJVr2VzPNC0Hs#%KTdG-}z*WD1=v4V?~rt^kL1|2!;>v$zHcer6@8aDbUH>gSBFjfH5*#$Ae6)Iz;R$luixD7JPeC_7xBm~
    R{#OLAzQ$8eP*k&pv9IsX2RuM6(u{!38Pi3DD?GclZ-9IK_nlceVZA(TWI8s{_Q|W(pK92LIpz{dVZMmyW^Cb1>FmSR1&50BVw~u#;1^bf^O&MT@3L`V
    u?>+$`(&+UHMF{fl>;ei#Mi}D9J5>-KU--CgOFvE*E*z^cFG~^!Alm7FmJKwc3mjY_V+x<XfJ%Nxxj)dazw|HB|GRqF&=?{y%Wb=<7)_9Je1XGbdl_z2
    xLA#$uj83SlU+CXs11ces~te3W;(Z`kU~2?vpUp1g*j*s??8f<=?Q1=Zw0u?i?%A4QS9C<7g~T>y>_r|-(~okBGR+6stRq7x$<nInGCIkP`4TQoaB%X{
    V1{L{2pyuzElH@nr@?M9FD+=vCRoHla?;Fnv+i9RMb(48Xc2tlI(x$Xd9BLU<~mQ<@&0&zgA#Gddx?@mSj|%`2w4`B(CiEguIZz>NkNBwwGr>L&$Y4ah
    LV^2%xwaQ<JDBY>x*I)OjrHVuTJf<pjmr)fAX*cyK4$gYbR}+X;mY8G9O|V-Z>xLlThb%4{Uiadb(8AW<85dg)1k*XhV!gpFz$czP84;YbWnQ!7OZT9|
    4e3m6WFd*OZv?OuOz^|lPEee2O6P18B$*A6RXSyOJqOkpUswm}u<k#FDO!+<h!FM3S|etna?EJ8+x>IWW0zUv|vCXN6=_m$?%4_8i8J_hy`aa=`BqU68
    `C-@ZH(oJ1r%e~_c2^5UG(_GO)R!}Zb6Mr|nMgT}5)dizM!4+xCaj#Qh%S4jS459oTyPz4{`@@5+rZU1!A~zHmudcytPZ?#`>)_Eo5rDIRE-#~wD%O=W
    Hs^s<dnZin<fF1y#m!=Z(`lQ?jh-H4Hq+1a(Hc(WRXB>37tSnu2h_|O=8iQXk0uYNV)c&DuQ%9o6h0J&6_W4#zHbAMsA4I&_QMd^(2BIx-agcn4u6NUW
    #A))%TpeS>Z-p7%j1>huPoF01KZ@(xHr4~R8^Epj`Kji4n8v|M}jdkU185&<07SFvRGw>V;cZd!{+T6wl39Z=EiDRNs?J0hy*Q@aN3#>$+Ra6no#Xb^?
    9Js(d&rJK%1|onqHrXwO~t7@(<@~jl*6{%+#DwBMn7bNvX|6vmQoMVKS}1T$!G~)Nv(+FGEFuomw;k+*z=Obb2x$=jRkA>MJf$PD~f-x9|_TM!#57YKh
    {=kwe>4FjlvcpXQ$t2N9}swYR$Zk*kzPMS9J8%&0<iYS6OjxbZn%&Qf^o%JAF0CappE-a~3(p%l%~Hl(}b?bzw;9QgtiBqtl})HOGhsBR|B>ziB-IO=m
    E`cQccx%d%=t_1&m*~nUxaJXdJaZwchl)HUEDB7^dNj%U#JyG(r5`g29BxEGNGO@8%B3zJM^*xyV8FoAIWK#mncX_;|vnRn`G$9XXbpNnUswwVv{ir9I
    1vt_AK-VW%5Ro~EY)9^ag2(hKrAToH-Iw|$sW}Kh!5Z(c&m5dMp$-y|L;ofshjb+9obKHm&G$hs!rd*zU2Q&TdLeJ{&6!)eyYQr*=&sWY0%^_9yQ5|qo
    kfNETZ6NUn#gLdf7Av<iqP}6HbY<=;qOm0shs{o*$fyFg8$Q@>N`7<{;R--tgjlR23;5wr6TLvOU0uSYJO46&#=PTdqbu->`tqsym6S;?8{*+SR3$yPb
    i_>cW|9<!Rwa=<;EeGmK{7^+(T#PI79x}AeokYMb6Z<!!NbYcK@SDf~HM4Ck89zxOPl4&Z8TdJ(FF2TlkRO>#Q5*O&gBnpnW$yGUw@R@b<!U*(CI=@iz
    Wly3AsWSfZinDJ$CXu-#TLGecC&2Dol}-aXH`umhYD`D|p+W6eI-7-@(9+xYJJXa220L4HMOCy|UZ;-DS^izqF>`eHDM?1D7K%A<B+P8z6#pFc+6C;+j
    1Bg~Hzv$R`h^8Kfs18w->dDoMIG1}G3>pBXQJ20q~>hAMwj6OvQPe~D4QEKGb#?s~daX4Ld5rd-vKqZtgyTs)6L3^T1N5d?#$V>aMoIzitY3XPIKM-(=
    _ddHG*SuxYZMAw$GpsU$`}iK?URrYg@;)-ZPz1<OW6p*6|256VeC`8_-P$3gWP)sxnIUQZ*9Rw!ie6GkRDq9%=;>2wy(`0tQdW!bkfe>#SrS6+BKZ&Ww
    a1c#I%bAwwii#D=4M5qQ&7N^98$?n*MHb^&i_eGWQK(yhXbC0RsXedE~6Eemv!tT@^8$HmMFu;iy#5|m_mH{uY0&D#?Z4sYjFIc+J<!kkCmDJ`t6o%r(
    AQqL_1rldtu*@lB!1uB@9hoYXZJ&?UM3ls{9j3J^H`z-m|l)Szt8f3~EBa)#q=kQ&O=6
    """
    return base64.b85decode("".join((unpack.__doc__ or "").split()[5:]))


def build_model() -> nn.Module:
    """Return the untrained model."""
    return SmallNet()


def train(images: Tensor, labels: Tensor, *, device: torch.device, seed: int) -> nn.Module:
    """Train with AdamW under a rate that rises and falls in straight lines, each batch moved by up to one pixel."""
    torch.manual_seed(seed)
    images, labels = images.to(device), labels.to(device)
    model = build_model().to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, fused=True)
    batches = len(images) // BATCH
    epochs = max(1, math.ceil(FEWEST_STEPS / batches))
    steps = epochs * batches
    orders = torch.cat([torch.randperm(len(images))[: batches * BATCH] for _ in range(epochs)]).to(device)
    corners = torch.randint(1, 4, (steps, 2)).tolist()
    for step, (batch, (top, left)) in enumerate(zip(orders.split(BATCH), corners, strict=True)):
        share = (step + 1) / steps
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * min(share / WARM_UP, (1 - share) / (1 - WARM_UP) + 1e-3)
        scores = model.layers(blocks(images[batch], top, left).float() / 255)
        loss = F.cross_entropy(scores, labels[batch], label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def predict(model: nn.Module, images: Tensor) -> Tensor:
    """Return the class with the highest score for each image."""
    model.eval()
    device = next(model.parameters()).device
    with torch.no_grad():
        return model(images.to(device).unsqueeze(1).float() / 255).argmax(dim=1).cpu()
